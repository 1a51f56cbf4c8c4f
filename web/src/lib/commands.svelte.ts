/** The commands that do what the page does: each view says its own, the foot of the page and the dialogs show them. */
import { untrack } from "svelte";
import { Secret } from "./secret";

export interface Command {
  title: string; // what it does: "List these builds"
  method: string;
  path: string; // below /api, with its query
  body?: unknown; // each `Secret` in it is shown as a variable of the shell
  codefresh?: string; // the same with our client, where there is one
}

class Commands {
  private said = $state.raw<Command[][]>([]); // by who is shown

  get list(): Command[] {
    return this.said.flat();
  }

  show(list: Command[]): () => void {
    this.said = [...this.said, list];
    return () => (this.said = this.said.filter((one) => one !== list));
  }
}

export const commands = new Commands();

/** Show these commands while the calling component lives; call it in `$effect`. */
export const showCommands = (list: Command[]): (() => void) => untrack(() => commands.show(list));

// What a terminal would obey, and what turns the direction of a text around and so hides what it says.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Quote one word for a shell; what is not seen in it is written as an escape (`$'…'`, of bash and zsh). */
export function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  if (!UNSEEN.test(word.replaceAll("\n", ""))) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${word.replace(/['\\]/g, "\\$&").replace(new RegExp(UNSEEN, "g"), escaped)}'`;
}

/** Words of a command line; what is empty or false is left out. */
export const words = (...parts: (string | false | undefined)[]): string => parts.filter(Boolean).join(" ");

/** A flag with its quoted value, once for each value. */
export const flags = (flag: string, values: string[] = []): string => values.map((value) => `${flag} ${quoted(value)}`).join(" ");

/** One word `key=value` of a command line, whose value is a variable of the shell where it is secret. */
export function pairWord(key: string, value: unknown): string {
  return value instanceof Secret ? `${quoted(`${key}=`)}"$${value.name}"` : quoted(`${key}=${String(value)}`);
}

/** A body as one word of a command line; what is secret in it is a variable of the shell, outside of the quotes. */
export function bodyWord(body: unknown): string {
  const found: Secret[] = [];
  const mark = "\u0001"; // JSON writes it as an escape, so that no text holds it
  const text = JSON.stringify(body, function (this: Record<string, unknown>, key: string, value: unknown) {
    const raw = this[key];
    return raw instanceof Secret ? `${mark}${found.push(raw) - 1}${mark}` : value;
  });
  return quoted(text.replace(new RegExp(UNSEEN, "g"), escaped)).replace(/(?<!\\)\\u0001(\d+)\\u0001/g, (whole, at: string) => {
    const secret = found[Number(at)];
    return secret ? `'"$${secret.name}"'` : whole;
  });
}

/** Names of the variables of the shell that the commands of a body need. */
export function secretsIn(body: unknown): string[] {
  if (body instanceof Secret) return [body.name];
  return typeof body === "object" && body !== null ? [...new Set(Object.values(body).flatMap(secretsIn))] : [];
}

/** The command line with curl; the key is a variable of the shell, so that none is shown. */
export function curl({ method, path, body }: Command): string {
  const parts = ["curl", "-sS", "--fail-with-body"];
  if (method !== "GET") parts.push("-X", method);
  parts.push("-H", '"Authorization: $CF_API_KEY"');
  if (body !== undefined) parts.push("-H", "'Content-Type: application/json'", "-d", bodyWord(body));
  parts.push(quoted(`${window.location.origin}/api${path}`));
  return parts.join(" ");
}
