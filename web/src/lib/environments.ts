/** What may be done with an environment. Pure. */
import { type Environment, pauseEnvironment, startEnvironment, stopEnvironment, unpauseEnvironment } from "./actions/environments";

const PAUSE = { verb: "Pause", act: pauseEnvironment };
const GO_ON = { verb: "Go on", act: unpauseEnvironment };
const STOP = { verb: "Stop", act: stopEnvironment };
const START = { verb: "Start", act: startEnvironment };

/** What its state lets be asked; the server refuses the rest. */
export function wishesFor({ status, instances }: Environment): (typeof PAUSE)[] {
  if (status === "running") return instances.some((one) => one.status === "stopped") ? [START, PAUSE, STOP] : [PAUSE, STOP];
  if (status === "paused") return [GO_ON, STOP];
  return status === "stopped" ? [START] : [];
}
