/** The text of a pipeline's file, as people edit it. Pure. */
import { CORE_SCHEMA, dump, types } from "js-yaml";
import { DERIVED, type Pipeline } from "./pipelines";

const schema = CORE_SCHEMA.extend({ implicit: [types.merge] }); // dates are texts, as the server has it
const toYaml = (value: unknown) => dump(value, { lineWidth: -1, noRefs: true, quotingType: "'", schema });
const only = (fields: string[], from: Record<string, unknown>) =>
  Object.fromEntries(fields.filter((key) => key in from).map((key) => [key, from[key]]));

/**
 * The `codefresh.yml` of a pipeline, comments and all; made from its fields where the server gave no text.
 * `fields` are the keys that a file may have, but for `version`.
 */
export function workflowText({ version, metadata, spec }: Pipeline, fields: string[]): string {
  return metadata.originalYamlString?.trim() ? metadata.originalYamlString : toYaml({ version: version ?? "1.0", ...only(fields, spec) });
}

/** The pipeline with another text; the server reads the fields from it. */
export function withText(pipeline: Pipeline, text: string, fields: string[]): Pipeline {
  const spec = Object.fromEntries(Object.entries(pipeline.spec).filter(([key]) => !fields.includes(key)));
  return { ...pipeline, metadata: { ...pipeline.metadata, originalYamlString: text }, spec };
}

/** The whole `kind: pipeline` document, without what the server works out; its file is in it as it was written. */
export function documentText(pipeline: Pipeline, fields: string[]): string {
  const { version, metadata, spec } = pipeline;
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !DERIVED.includes(key)));
  const isKept = "steps" in spec || Boolean(metadata.originalYamlString);
  const rest = isKept ? Object.fromEntries(Object.entries(spec).filter(([key]) => !fields.includes(key))) : spec;
  const text = toYaml({ version: version ?? "1.0", kind: "pipeline", metadata: own, spec: rest });
  if (!isKept) return text;
  const file = workflowText(pipeline, fields).trimEnd().split("\n").filter((line) => !/^(version\s*:|---\s*$)/.test(line));
  const head = Object.keys(rest).length ? text : text.replace(/spec: \{\}\n$/, "spec:\n");
  return `${head}${file.map((line) => (line ? `  ${line}` : line)).join("\n")}\n`;
}
