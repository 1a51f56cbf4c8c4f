/** What is done with builds. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";
import { flags, quoted, words } from "../commands.svelte";

type Build = Schemas["BuildOut"];

export const approveBuild = ({ id }: Build, reason: string): Action =>
  action({
    title: "Approve the build", sdk: "workflows.approve", method: "GET", path: "/workflow/{buildId}/pending-approval/approve",
    at: { buildId: id },
    query: { reason },
    codefresh: words(`codefresh approve ${id}`, reason && flags("--reason", [reason])),
  });

export const denyBuild = ({ id }: Build, reason: string): Action =>
  action({
    title: "Deny the build", sdk: "workflows.deny", method: "GET", path: "/workflow/{buildId}/pending-approval/deny",
    at: { buildId: id },
    query: { reason },
    codefresh: words(`codefresh deny ${id}`, reason && flags("--reason", [reason])),
  });

export const terminateBuild = ({ id, progress }: Build): Action =>
  action({
    title: "Terminate the build", sdk: "progress.terminate", method: "DELETE", path: "/progress/{id}",
    at: { id: progress },
    codefresh: `codefresh terminate ${id}`,
  });

/** Run it again. `from` is empty for its beginning, `failed` for what did not go well, or `=` and a step. */
export const restartBuild = ({ id }: Build, from: string): Action<string> =>
  action({
    title: "Run the build again", sdk: "workflows.restart", method: "GET", path: "/builds/rebuild/{id}",
    at: { id },
    query: from === "failed" ? { fromFailed: "true" } : { fromStep: from.slice(1) },
    codefresh: from.startsWith("=") ? undefined : words(`codefresh restart ${quoted(id)} --detach`, from && "--from-failed"),
  });

type Pause = Schemas["PauseOut"];
export type Onward = "continue" | "step-over" | "finish";
const ONWARD = { continue: "Go on to the next breakpoint", "step-over": "Go on to the next step", finish: "Go on to the end" };

/** Let a build that waits at a breakpoint go on. */
export const goOn = ({ id }: Build, { step }: Pause, way: Onward): Action =>
  action({
    title: `${ONWARD[way]} from ${step}`, sdk: "workflows.debug", method: "POST", path: "/workflow/{buildId}/debug",
    at: { buildId: id },
    body: { action: way, step },
    codefresh: words(`codefresh debug ${way} ${id}`, flags("--step", [step])),
  });

/** Run lines of shell beside the step that waits; what they print is in its log. */
export const lookAround = ({ id }: Build, { step }: Pause, script: string): Action =>
  action({
    title: `Look around beside ${step}`, sdk: "workflows.debug", method: "POST", path: "/workflow/{buildId}/debug",
    at: { buildId: id },
    body: { action: "run", script, step },
    codefresh: words(`codefresh debug run ${id} ${quoted(script)}`, flags("--step", [step])),
  });
