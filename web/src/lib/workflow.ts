/** The text of a pipeline's file, as people edit it. Pure. */
import { CORE_SCHEMA, dump, load, types } from "js-yaml";
import { DERIVED, type Pipeline, type Variable } from "./pipelines";
import { Secret } from "./secret";

const schema = CORE_SCHEMA.extend({ implicit: [types.merge] }); // dates are texts, as the server has it
const toYaml = (value: unknown) => dump(value, { lineWidth: -1, noRefs: true, quotingType: "'", schema });
const SHOWN_OF_TRIGGER = ["endpoint", "lastExecutionDate", "lastError"];
const AREAS = ["triggers", "cronTriggers"] as const;
const MASK = "*****"; // stands for a secret; sent back, it keeps the secret of its key
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

/** A trigger without what the server works out. */
const ownOf = (trigger: object) => Object.fromEntries(Object.entries(trigger).filter(([key]) => !SHOWN_OF_TRIGGER.includes(key)));

/** The whole `kind: pipeline` document, without what the server works out; its file is in it as it was written. */
export function documentText(pipeline: Pipeline, fields: string[]): string {
  const { version, metadata, spec } = pipeline;
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !DERIVED.includes(key)));
  const isKept = "steps" in spec || Boolean(metadata.originalYamlString);
  const rest = isKept ? Object.fromEntries(Object.entries(spec).filter(([key]) => !fields.includes(key))) : { ...spec };
  for (const area of AREAS) if (Array.isArray(rest[area])) rest[area] = (rest[area] as object[]).map(ownOf);
  const text = toYaml({ version: version ?? "1.0", kind: "pipeline", metadata: own, spec: rest });
  if (!isKept) return text;
  const file = workflowText(pipeline, fields).trimEnd().split("\n").filter((line) => !/^(version\s*:|---\s*$)/.test(line));
  const head = Object.keys(rest).length ? text : text.replace(/spec: \{\}\n$/, "spec:\n");
  return `${head}${file.map((line) => (line ? `  ${line}` : line)).join("\n")}\n`;
}

type Dict = Record<string, unknown>;
const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value);
const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The lines below `spec:` that are its file, one level out, comments before a key with it; "" where they are not blocks. */
function fileIn(text: string, fields: string[]): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^(spec|"spec"|'spec')\s*:\s*(#.*)?$/.test(line));
  const indent = /^ */.exec(lines.slice(start + 1).find((line) => /^ *[^ #]/.test(line)) ?? "")?.[0] ?? "";
  if (start < 0 || !indent) return "";
  const found: string[] = [];
  let before: string[] = []; // comments and empty lines: they are of the key that follows
  let isFile = false;
  const remark = new RegExp(`^ {0,${indent.length}}#`); // one that is not of a text of several lines
  for (const line of lines.slice(start + 1)) {
    if (/^[^ #]/.test(line)) break; // the next key of the document
    const key = line.startsWith(indent) ? /^["']?([\w-]+)["']?\s*:/.exec(line.slice(indent.length))?.[1] : undefined;
    if (key === undefined && (!line.trim() || remark.test(line))) before.push(line);
    else {
      if (key !== undefined) isFile = fields.includes(key);
      if (isFile) found.push(...before, line);
      before = [];
    }
  }
  if (isFile) found.push(...before);
  return `${found.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart())).join("\n").trimEnd()}\n`;
}

/** Refuse a `*****` that stands for no secret of before: it would become the secret itself. */
function refuseUnknown(place: string, given: unknown, known: Variable[] | undefined) {
  for (const one of Array.isArray(given) ? given : []) {
    if (!isDict(one) || one.value !== MASK) continue;
    if (one.encrypted === true && known?.some(({ key, encrypted }) => encrypted && key === one.key)) continue;
    throw new Error(`${place}, ${String(one.key)}: ${MASK} stands for a secret that is kept under the same key, encrypted: write its value`);
  }
}

/** Variables with what is to be encrypted as secrets: commands do not show them. */
const veiled = (given: unknown): unknown =>
  Array.isArray(given)
    ? (given as unknown[]).map((one) =>
        isDict(one) && one.encrypted === true && one.value !== MASK ? { ...one, value: new Secret(String(one.key), String(one.value ?? "")) } : one,
      )
    : given;

/** A part of a spec, or a trigger, with its variables veiled. */
const veil = (part: Dict): Dict => ("variables" in part ? { ...part, variables: veiled(part.variables) } : part);

function veilTrigger(trigger: unknown): unknown {
  if (!isDict(trigger)) return trigger;
  const { secret } = trigger;
  return veil(typeof secret === "string" && secret && secret !== MASK ? { ...trigger, secret: new Secret("secret", secret) } : trigger);
}

/** Whether a document that `documentOf` made holds a secret that its author has just written. */
export const tellsSecrets = ({ spec }: Pipeline): boolean =>
  [spec, ...AREAS.flatMap((area) => (Array.isArray(spec[area]) ? spec[area] : []))].some(
    (part) => isDict(part) && (part.secret instanceof Secret || (Array.isArray(part.variables) && part.variables.some((one: Dict | null) => one?.value instanceof Secret))),
  );

/**
 * What a whole document says, to be stored in the place of `base`; another `metadata.name` renames it.
 *
 * Its steps are sent as their text, so that comments in it and the order of its names are kept. Throws an `Error` that
 * says where and what to write: for what is no document, and for what would lose a secret or a comment.
 */
export function documentOf(base: Pipeline, text: string, fields: string[]): Pipeline {
  const said = load(text, { schema });
  if (!isDict(said) || said.kind !== "pipeline") throw new Error("the document: write kind: pipeline, metadata: and spec:");
  const { metadata, spec = {} } = said;
  if (!isDict(metadata)) throw new Error("metadata: write name: project/pipeline below it");
  if (!isDict(spec)) throw new Error("spec: write its keys below it, each in a line");
  refuseUnknown("spec.variables", spec.variables, base.spec.variables);
  for (const area of AREAS) {
    for (const [at, one] of (Array.isArray(spec[area]) ? (spec[area] as unknown[]) : []).entries()) {
      const before = isDict(one) ? (base.spec[area] ?? []).find(({ id, name }) => (one.id ? id === one.id : name === one.name)) : undefined;
      if (isDict(one)) refuseUnknown(`spec.${area}.${at}.variables`, one.variables, before?.variables as Variable[] | undefined);
    }
  }
  const own = only(fields, spec);
  const rest = veil(Object.fromEntries(Object.entries(spec).filter(([key]) => !fields.includes(key))));
  for (const area of AREAS) if (Array.isArray(rest[area])) rest[area] = (rest[area] as unknown[]).map(veilTrigger);
  const { id, revision } = base.metadata;
  const document = { ...said, metadata: { ...metadata, id, revision, originalYamlString: undefined }, spec: rest } as unknown as Pipeline;
  if (!Object.keys(own).length) return document;
  const inner = fileIn(text, fields);
  const file = toYaml({ version: said.version ?? "1.0" }) + inner;
  let isWhole = false;
  try {
    isWhole = Boolean(inner) && isSame(only(fields, load(file, { schema }) as Dict), own);
  } catch {
    // an anchor outside of it
  }
  if (!isWhole) throw new Error("spec: write steps: and what belongs to them as blocks, without braces and without anchors from outside");
  document.metadata.originalYamlString = file;
  return document;
}
