/** The commands that do what the page does: each view says its own, the shell and the dialogs show them. */
import { untrack } from "svelte";

export interface Command {
  title: string; // what it does: "List these builds"
  method: string;
  path: string; // below /api, with its query
  body?: unknown;
  codefresh?: string; // the same with our client, where there is one
  inside?: boolean; // of the open dialog, which shows it
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

/** Quote one word for a shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words of a command line; what is empty or false is left out. */
export const words = (...parts: (string | false | undefined)[]): string => parts.filter(Boolean).join(" ");

/** The command line with curl; the key is a variable of the shell, so that none is shown. */
export function curl({ method, path, body }: Command): string {
  const parts = ["curl", "-sS", "--fail-with-body"];
  if (method !== "GET") parts.push("-X", method);
  parts.push("-H", '"Authorization: $CF_API_KEY"');
  if (body !== undefined) parts.push("-H", "'Content-Type: application/json'", "-d", quoted(JSON.stringify(body)));
  parts.push(quoted(`${window.location.origin}/api${path}`));
  return parts.join(" ");
}
