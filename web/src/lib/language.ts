/** What may be written at a place of a pipeline file: its JSON Schema, asked by the place of the cursor. Pure. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  readOnly?: boolean; // the server gives it, nobody writes it
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
  if?: Schema;
  then?: Schema;
  else?: Schema;
  definitions?: Record<string, Schema>;
  "x-docs"?: string; // the address of the page about it
}

/** A map on the way to the cursor: under which key it stands, and what its `type:` or `kind:` says. */
interface Level {
  key: string | number;
  word: string;
}

export interface Place {
  levels: Level[]; // from the root to the map that the cursor is in; the root has the key ""
  key: string | undefined; // whose value the cursor is in; none: the cursor is in a key
  isItem: boolean; // or in a text of a list
  written: string[]; // keys that the map has
}

interface Line {
  indent: number; // of the key, behind a dash
  dash: number; // of the dash; -1 without one
  key: string;
  value: string;
}

function lineOf(text: string): Line | undefined {
  const found = /^( *)((?:- +)*)(?:("[^"]*"|'[^']*'|[^\s#:'"-][^#:]*|-[^\s:]+):(?=\s|$))?\s*(.*)$/.exec(text);
  if (!found || !text.trim() || text.trimStart().startsWith("#")) return undefined;
  const [, spaces = "", dashes = "", key = "", value = ""] = found;
  return { indent: spaces.length + dashes.length, dash: dashes ? spaces.length + dashes.length - 2 : -1, key: key.replace(/^["']|["']$/g, ""), value };
}

/** Where a cursor is; undefined inside a text of several lines or a map in braces. */
export function placeAt(lines: string[], row: number, column: number): Place | undefined {
  const before = (lines[row] ?? "").slice(0, column);
  if (/^\s*#|\s#|[{}[\]]/.test(before)) return undefined;
  const value = /^[\s-]*(?:"[^"]*"|'[^']*'|[^:#]+):\s+/.exec(before);
  const bare = /^( *)((?:- +)*)/.exec(before);
  let indent = (bare?.[1] ?? "").length + (bare?.[2] ?? "").length;
  const current = lineOf(lines[row] ?? "");
  const key = value ? current?.key : undefined;
  const isItem = key === undefined && /^ *(- +)+[^:]*$/.test(before); // `- text`: maybe a text of a list
  const levels: Level[] = [{ key: "", word: wordAt(lines, row, indent) }];
  const written = keysAt(lines, row, indent);
  let dash = bare?.[2] ? indent - 2 : -1; // of the list whose entry the innermost map is
  for (let at = row - 1; at >= 0 && (indent > 0 || dash >= 0); at--) {
    const line = lineOf(lines[at] ?? "");
    if (!line) continue;
    if (dash < 0 && line.dash >= 0 && line.indent === indent) dash = line.dash; // its first key
    const isOuter = dash < 0 ? line.indent < indent : line.indent <= dash && line.dash < dash;
    if (!isOuter || !line.key) continue;
    if (/^[|>]/.test(line.value)) return undefined;
    if (levels[0]) levels[0].key = dash < 0 ? line.key : 0;
    if (dash >= 0) levels.unshift({ key: line.key, word: "" });
    [indent, dash] = [line.indent, line.dash];
    levels.unshift({ key: "", word: wordAt(lines, at, indent) });
  }
  return { levels, key, isItem, written };
}

/** The lines of the map that has an entry in this row, at this indent. */
function* around(lines: string[], row: number, indent: number): Generator<Line> {
  for (const step of [-1, 1]) {
    for (let at = step < 0 ? row : row + 1; at >= 0 && at < lines.length; at += step) {
      const line = lineOf(lines[at] ?? "");
      if (!line) continue;
      if (line.indent < indent) break;
      if (line.indent > indent) continue;
      if (step > 0 && line.dash >= 0) break; // the next entry of the list
      yield line;
      if (step < 0 && line.dash >= 0) break;
    }
  }
}

function wordAt(lines: string[], row: number, indent: number): string {
  const words = new Map([...around(lines, row, indent)].map(({ key, value }) => [key, value]));
  return (words.get("type") ?? words.get("kind") ?? "").replace(/^["']|["']\s*$/g, "").trim();
}

const keysAt = (lines: string[], row: number, indent: number) => [...around(lines, row, indent)].map(({ key }) => key).filter(Boolean);

/** Everything that a schema allows, for a map whose `type:` or `kind:` is `word`. */
function* alternatives(root: Schema, schema: Schema | undefined, word: string): Generator<Schema> {
  if (!schema) return;
  if (schema.$ref) yield* alternatives(root, root.definitions?.[schema.$ref.replace("#/definitions/", "")], word);
  yield schema;
  for (const one of schema.anyOf ?? []) yield* alternatives(root, one, word);
  for (const one of schema.allOf ?? []) yield* alternatives(root, one, word);
  if (schema.if) yield* alternatives(root, fits(schema.if, word) ? schema.then : schema.else, word);
}

function fits(condition: Schema, word: string): boolean {
  const [wanted] = Object.values(condition.properties ?? {});
  return wanted?.const === word || (!word && !condition.required);
}

function inside(root: Schema, schemas: Schema[], { key, word }: Level): Schema[] {
  return schemas.flatMap((one) => {
    if (typeof key === "number") return [...alternatives(root, one.items, word)];
    const next = one.properties?.[key] ?? (typeof one.additionalProperties === "object" ? one.additionalProperties : undefined);
    return [...alternatives(root, next, word)];
  });
}

/** The schemas of the map that the cursor is in, or of the value of `place.key` in it. */
function schemasAt(root: Schema, { levels, key }: Place): Schema[] {
  const [first, ...rest] = levels;
  let schemas = [...alternatives(root, root, first?.word ?? "")];
  for (const level of rest) schemas = inside(root, schemas, level);
  return key === undefined ? schemas : inside(root, schemas, { key, word: "" });
}

/** Names that no schema knows: of the text itself, of the account, and of the plan. */
export interface Names {
  types: string[]; // step types
  git: string[]; // contexts that log in to Git hosts
  registries: string[];
  clusters: string[];
  variables: string[]; // what `${{ }}` may name
}

/** The steps of a text, groups and their members among them, and its stages; in the order of the file. */
export function outline(lines: string[]): { steps: string[]; stages: string[] } {
  const found = { steps: [] as string[], stages: [] as string[] };
  const path: { indent: number; key: string }[] = [];
  let block = -1; // the indent of the key whose text of several lines this is
  for (const text of lines) {
    const line = lineOf(text);
    if (!line) continue;
    const at = line.dash >= 0 ? line.dash : line.indent;
    if (block >= 0 && at > block) continue;
    block = -1;
    const last = () => path[path.length - 1];
    while (path.length && (last()?.indent ?? 0) >= at && !(line.dash >= 0 && last()?.indent === at)) path.pop();
    const parent = last()?.key;
    const own = path[0]?.key === "spec" ? path.slice(1) : path; // in a whole document they are below `spec`
    if (line.dash >= 0 && !line.key && parent === "stages" && own.length === 1) found.stages.push(bare(line.value));
    if (!line.key) continue;
    if (line.dash < 0) {
      const isRoot = parent === "steps" && own.every(({ key }, level) => key === "steps" || own[level - 1]?.key === "steps");
      if (isRoot) found.steps.push(line.key);
      if (line.key === "stages" && !own.length) found.stages.push(...listed(line.value));
      path.push({ indent: line.indent, key: line.key });
    }
    if (/^[|>]/.test(line.value)) block = at;
  }
  return found;
}

const bare = (text: string) => text.replace(/\s+#.*$/, "").trim().replace(/^(["'])(.*)\1$/, "$2");
const listed = (text: string) => (/^\[(.*)\]/.exec(text)?.[1] ?? "").split(",").map(bare).filter(Boolean);

const NAMED: Record<string, "types" | "git" | "registries" | "clusters"> = {
  type: "types",
  git: "git",
  registry: "registries",
  registry_context: "registries",
  registry_contexts: "registries",
  cluster: "clusters",
};

/** Names that may be written at a place: those of other steps, stages, and what the account has. */
export function namesAt(place: Place, lines: string[], names: Names): Offer[] {
  const keys = place.levels.map(({ key }) => key);
  const own = keys[keys.lastIndexOf("when") - 1];
  const offer = (detail: string) => (text: string) => ({ text, detail, info: "" });
  const isOfStep = keys[keys.length - 2] === "steps";
  if (place.key === "name" && keys.includes("when") && keys.includes("steps", keys.lastIndexOf("when"))) {
    return outline(lines).steps.filter((name) => name !== own).map(offer("step"));
  }
  if (place.key === "stage" && isOfStep) return outline(lines).stages.map(offer("stage"));
  const holder = place.key ?? (place.isItem ? keys[keys.length - 1] : undefined);
  const kind = typeof holder === "string" && keys.includes("steps") ? NAMED[holder] : undefined;
  return kind && !(kind === "types" && !isOfStep) ? names[kind].map(offer(LABELS[kind])) : [];
}

const LABELS = { types: "step type", git: "context", registries: "registry", clusters: "cluster" };

export interface Offer {
  text: string;
  detail: string; // its kind
  info: string; // what it means
}

/** What may be written at a place: keys, or values. */
export function offers(root: Schema, place: Place): Offer[] {
  const schemas = schemasAt(root, place);
  const found = new Map<string, Offer>();
  const add = (text: string, detail: string, info = "") => found.has(text) || found.set(text, { text, detail, info });
  for (const schema of schemas) {
    if (place.key === undefined) {
      for (const [name, inner] of Object.entries(schema.properties ?? {})) {
        if (place.written.includes(name) || inner.readOnly) continue;
        add(name, schema.required?.includes(name) ? "required" : kindOf(root, inner), told(root, inner));
      }
    }
    if (place.key !== undefined || place.isItem) {
      for (const value of schema.enum ?? schema.examples ?? []) if (typeof value === "string") add(value, "");
      if (schema.type === "boolean") for (const value of ["true", "false"]) add(value, "");
    }
  }
  return [...found.values()];
}

export interface Meaning {
  lines: string[]; // texts
  docs: string; // the address of the page about it; empty: none
}

/** What the key at a place means; undefined where it is not known. */
export function meaning(root: Schema, place: Place): Meaning | undefined {
  if (!place.key) return undefined;
  const schemas = schemasAt(root, place);
  const info = schemas.find((one) => one.description)?.description;
  if (!info) return undefined;
  const lines = [info];
  const words = schemas.flatMap((one) => one.enum ?? []);
  const kinds = [...new Set(schemas.flatMap((one) => one.type ?? []))];
  if (words.length && words.length < 12) lines.push(`One of ${words.join(", ")}`);
  else if (kinds.length) lines.push(`A ${kinds.join(" or ")}`.replace(/^A (?=[aeiou])/, "An "));
  const preset = schemas.find((one) => one.default !== undefined)?.default;
  if (preset !== undefined) lines.push(`By default ${JSON.stringify(preset)}`);
  return { lines, docs: docsAt(root, place) };
}

/** The page about what is nearest around a place. */
function docsAt(root: Schema, { levels }: Place): string {
  let schemas = [...alternatives(root, root, levels[0]?.word ?? "")];
  let found = "";
  for (const [at, level] of levels.entries()) {
    if (at) schemas = inside(root, schemas, level);
    found = schemas.findLast((one) => one["x-docs"])?.["x-docs"] ?? found;
  }
  return found;
}

const told = (root: Schema, schema: Schema) => [...alternatives(root, schema, "")].find((one) => one.description)?.description ?? "";

function kindOf(root: Schema, schema: Schema): string {
  const kinds = [...alternatives(root, schema, "")].flatMap((one) => (one.enum ? "word" : (one.type ?? [])));
  return [...new Set(kinds)].slice(0, 2).join(" or ");
}
