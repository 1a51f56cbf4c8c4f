/** What is done with pipelines. A change of a part stores the whole document; another's change since is refused with 409. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";
import { flags, quoted, words } from "../commands.svelte";
import { DERIVED, type Pipeline, sent, type Trigger, type Variable } from "../pipelines";
import type { RunBody } from "../runs";

export type Area = "triggers" | "cronTriggers";

export const createPipeline = (name: string, document: Record<string, unknown>): Action<Pipeline> =>
  action({
    title: "Create a pipeline", sdk: "pipelines.create", method: "POST", path: "/pipelines",
    body: { version: "1.0", kind: "pipeline", metadata: { name, ...(document.metadata as object) }, spec: document.spec },
  });

/** A copy has the parts that people write; not what the server works out. */
export const clonePipeline = ({ version, metadata, spec }: Pipeline, name: string): Action<Pipeline> =>
  action({
    title: "Clone the pipeline", sdk: "pipelines.create", method: "POST", path: "/pipelines",
    body: sent({
      version,
      kind: "pipeline",
      metadata: {
        ...Object.fromEntries(Object.entries(metadata).filter(([key]) => !DERIVED.includes(key))),
        name,
        originalYamlString: metadata.originalYamlString,
      } as Pipeline["metadata"],
      spec,
    }),
  });

/** Store a document in the place of the one that has its id. */
const replacePipeline = (title: string, document: Pipeline): Action<Pipeline> =>
  action({
    title, sdk: "pipelines.replace", method: "PUT", path: "/pipelines/{name}",
    at: { name: document.metadata.id },
    body: sent(document),
  });

const withSpec = (title: string, pipeline: Pipeline, spec: Partial<Pipeline["spec"]>): Action<Pipeline> =>
  replacePipeline(title, { ...pipeline, spec: { ...pipeline.spec, ...spec } });

export const renamePipeline = (pipeline: Pipeline, name: string): Action<Pipeline> =>
  replacePipeline("Rename the pipeline", { ...pipeline, metadata: { ...pipeline.metadata, name, project: undefined } });

export const deletePipeline = (name: string): Action =>
  action({
    title: "Delete the pipeline", sdk: "pipelines.delete", method: "DELETE", path: "/pipelines/{name}",
    at: { name },
    codefresh: `codefresh delete pipeline ${quoted(name)}`,
  });

const runLine = (name: string, body: RunBody, debug: boolean): string =>
  words(
    `codefresh run ${quoted(name)}`,
    flags("-b", body.branch ? [body.branch] : []),
    flags("-t", body.trigger ? [body.trigger] : []),
    flags("-v", (body.variables ?? []).map(({ key, value }) => `${key}=${value}`)),
    flags("-c", body.contexts),
    debug && "--debug --detach",
    body.options?.noCache && "--no-cache",
    body.options?.resetVolume && "--reset-volume",
    flags("--only", body.options?.only),
    flags("--skip", body.options?.skip),
  );

export const runPipeline = (name: string, body: RunBody): Action<string> =>
  action({
    title: "Run this pipeline", sdk: "pipelines.run", method: "POST", path: "/pipelines/run/{name}",
    at: { name },
    body,
    codefresh: runLine(name, body, false),
  });

export const debugPipeline = (name: string, body: RunBody): Action<string> =>
  action({
    title: "Run this pipeline, with its breakpoints", sdk: "pipelines.debug", method: "POST", path: "/pipelines/debug/{name}",
    at: { name },
    body,
    codefresh: runLine(name, body, true),
  });

/** Add a variable, or put it in the place of the one that is called `before`. */
export function saveVariable(pipeline: Pipeline, variable: Variable, before: string): Action<Pipeline> {
  const known = pipeline.spec.variables ?? [];
  const variables = before ? known.map((one) => (one.key === before ? variable : one)) : [...known, variable];
  return withSpec("Save the variable", pipeline, { variables });
}

export const deleteVariable = (pipeline: Pipeline, { key }: Variable): Action<Pipeline> =>
  withSpec("Delete the variable", pipeline, { variables: (pipeline.spec.variables ?? []).filter((one) => one.key !== key) });

export const chooseContexts = (pipeline: Pipeline, contexts: string[]): Action<Pipeline> =>
  withSpec("Choose the contexts of the pipeline", pipeline, { contexts });

export const addTrigger = (pipeline: Pipeline, area: Area, trigger: Trigger): Action<Pipeline> =>
  withSpec("Add a trigger", pipeline, { [area]: [...(pipeline.spec[area] ?? []), trigger] });

export const toggleTrigger = (pipeline: Pipeline, area: Area, at: number): Action<Pipeline> => {
  const known = pipeline.spec[area] ?? [];
  const one = known[at];
  return withSpec(`Turn ${one?.disabled ? "on" : "off"} the trigger ${one?.name ?? ""}`, pipeline, {
    [area]: known.map((trigger, index) => (index === at ? { ...trigger, disabled: !trigger.disabled } : trigger)),
  });
};

export const deleteTrigger = (pipeline: Pipeline, area: Area, at: number): Action<Pipeline> =>
  withSpec("Delete the trigger", pipeline, { [area]: (pipeline.spec[area] ?? []).filter((_, index) => index !== at) });

export const saveWorkflow = (document: Pipeline): Action<Pipeline> => replacePipeline("Save the workflow", document);

export const saveSettings = (document: Pipeline): Action<Pipeline> => replacePipeline("Save the settings", document);

type Project = Schemas["ProjectOut"];

export const createProject = (name: string, tags: string[]): Action<Project> =>
  action({
    title: "Create a project", sdk: "projects.create", method: "POST", path: "/projects",
    body: { projectName: name, tags },
    codefresh: words(`codefresh create project ${quoted(name)}`, flags("-t", tags)),
  });

export const changeProject = ({ id }: Project, name: string, tags: string[]): Action<Project> =>
  action({
    title: "Change the project", sdk: "projects.patch", method: "PATCH", path: "/projects/{id}",
    at: { id },
    body: { projectName: name, tags },
    // The client has no way to say "no tags".
    codefresh: tags.length ? words(`codefresh patch project ${id} -n ${quoted(name)}`, flags("-t", tags)) : undefined,
  });

export const deleteProject = ({ id, projectName }: Project): Action =>
  action({
    title: "Delete the project", sdk: "projects.delete", method: "DELETE", path: "/projects/{id}",
    at: { id },
    codefresh: `codefresh delete project ${quoted(projectName)}`,
  });
