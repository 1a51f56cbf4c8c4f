/** What is done with environments and with the compositions that they are launched from. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";
import { quoted } from "../commands.svelte";

export type Environment = Schemas["EnvironmentOut"];
export type Composition = Schemas["CompositionOut"];

// These four answer at once; a worker on the engine does it, and the list says when.

export const pauseEnvironment = ({ _id, name }: Environment): Action<Environment> =>
  action({ title: `Pause ${name}`, sdk: "envs.pause", method: "GET", path: "/environments/{id}/pause", at: { id: _id } });

export const unpauseEnvironment = ({ _id, name }: Environment): Action<Environment> =>
  action({ title: `Let ${name} go on`, sdk: "envs.unpause", method: "GET", path: "/environments/{id}/unpause", at: { id: _id } });

export const stopEnvironment = ({ _id, name }: Environment): Action<Environment> =>
  action({ title: `Stop ${name}`, sdk: "envs.stop", method: "GET", path: "/environments/{id}/stop", at: { id: _id } });

export const startEnvironment = ({ _id, name }: Environment): Action<Environment> =>
  action({ title: `Start ${name}`, sdk: "envs.start", method: "GET", path: "/environments/{id}/start", at: { id: _id } });

export const renameEnvironment = ({ _id }: Environment, newName: string): Action<Environment> =>
  action({
    title: "Rename the environment", sdk: "envs.rename", method: "GET", path: "/environments/{id}/rename/{newName}",
    at: { id: _id, newName },
  });

export const terminateEnvironment = ({ _id }: Environment): Action<Environment> =>
  action({
    title: "Terminate the environment", sdk: "envs.terminate", method: "GET", path: "/environments/{id}/terminate",
    at: { id: _id },
    codefresh: `codefresh delete environment ${_id}`,
  });

export const createComposition = (name: string, yamlJson: string, vars: string[]): Action<Composition> =>
  action({ title: "Store the composition", sdk: "compositions.create", method: "POST", path: "/compositions", body: { name, yamlJson, vars } });

/** Answers the id of the build that launches it. */
export const launchComposition = ({ _id, name }: Composition): Action<string> =>
  action({ title: `Launch ${name}`, sdk: "compositions.launch", method: "POST", path: "/compositions/{id}/run", at: { id: _id }, body: {} });

export const deleteComposition = ({ _id, name }: Composition): Action =>
  action({
    title: "Delete the composition", sdk: "compositions.delete", method: "DELETE", path: "/compositions/{id}",
    at: { id: _id },
    codefresh: `codefresh delete composition ${quoted(name)}`,
  });
