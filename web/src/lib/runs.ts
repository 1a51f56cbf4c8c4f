/** What a run is given. Pure. */
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
