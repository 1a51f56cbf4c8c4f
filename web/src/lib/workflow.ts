/** The text of a pipeline's file, as people edit it. Pure. */
import { CORE_SCHEMA, dump, load, types } from "js-yaml";
import { DERIVED, type Pipeline } from "./pipelines";

const schema = CORE_SCHEMA.extend({ implicit: [types.merge] }); // dates are texts, as the server has it
const toYaml = (value: unknown) => dump(value, { lineWidth: -1, noRefs: true, quotingType: "'", schema });
const only = (fields: string[], from: Record<string, unknown>) =>
  Object.fromEntries(fields.filter((key) => key in from).map((key) => [key, from[key]]));

/**
 * The `codefresh.yml` of a pipeline: as it was written where that says what the fields say, comments and all.
 * `fields` are the keys that a file may have, but for `version`.
 */
export function workflowText({ version, metadata, spec }: Pipeline, fields: string[]): string {
  const inline = only(fields, spec);
  const text = metadata.originalYamlString ?? "";
  if (text.trim() && (!("steps" in spec) || saysThe(text, inline, fields))) return text;
  return toYaml({ version: version ?? "1.0", ...inline });
}

function saysThe(text: string, inline: Record<string, unknown>, fields: string[]): boolean {
  try {
    const read = load(text, { schema }) as Record<string, unknown>;
    return JSON.stringify(only(fields, read)) === JSON.stringify(inline);
  } catch {
    return false;
  }
}

/** The pipeline with another text; the server reads the fields from it. */
export function withText(pipeline: Pipeline, text: string, fields: string[]): Pipeline {
  const spec = Object.fromEntries(Object.entries(pipeline.spec).filter(([key]) => !fields.includes(key)));
  return { ...pipeline, metadata: { ...pipeline.metadata, originalYamlString: text }, spec };
}

/** The whole `kind: pipeline` document, without what the server works out. */
export function documentText({ version, metadata, spec }: Pipeline): string {
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !DERIVED.includes(key)));
  return toYaml({ version: version ?? "1.0", kind: "pipeline", metadata: own, spec });
}
