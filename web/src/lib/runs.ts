/** What a run is given, and the commands that start it. Pure. */
import { segment } from "./api";
import { type Command, quoted, words } from "./commands.svelte";
import type { Pair } from "./pairs";

export interface RunBody {
  branch?: string;
  trigger?: string;
  variables?: Pair[];
  contexts?: string[];
  options?: { noCache?: boolean; resetVolume?: boolean; only?: string[]; skip?: string[] };
}

/** Leave out what says nothing. */
export function runBody(given: Required<Omit<RunBody, "options">> & Required<RunBody["options"]> & object): RunBody {
  const { branch, trigger, variables, contexts, noCache, resetVolume, only, skip } = given;
  const options = {
    ...(noCache ? { noCache } : {}),
    ...(resetVolume ? { resetVolume } : {}),
    ...(only.length ? { only } : {}),
    ...(skip.length ? { skip } : {}),
  };
  return {
    ...(branch ? { branch } : {}),
    ...(trigger ? { trigger } : {}),
    ...(variables.length ? { variables } : {}),
    ...(contexts.length ? { contexts } : {}),
    ...(Object.keys(options).length ? { options } : {}),
  };
}

const each = (flag: string, values: string[] = []) => values.map((value) => `${flag} ${quoted(value)}`);

/** The command that runs a pipeline. */
export function runCommand(name: string, body: RunBody, debug = false): Command {
  return {
    title: "Run this pipeline",
    method: "POST",
    path: `/pipelines/${debug ? "debug" : "run"}/${segment(name)}`,
    body,
    codefresh: words(
      `codefresh run ${quoted(name)}`,
      ...each("-b", body.branch ? [body.branch] : []),
      ...each("-t", body.trigger ? [body.trigger] : []),
      ...each("-v", (body.variables ?? []).map(({ key, value }) => `${key}=${value}`)),
      ...each("-c", body.contexts),
      debug && "--debug",
      body.options?.noCache && "--no-cache",
      body.options?.resetVolume && "--reset-volume",
      ...each("--only", body.options?.only),
      ...each("--skip", body.options?.skip),
    ),
  };
}
