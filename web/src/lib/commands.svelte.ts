/** The commands that do what the page does: each view says its own, the shell shows them. */

export interface Command {
  title: string; // what it does: "List these builds"
  method: string;
  path: string; // below /api, with its query
  body?: unknown;
  codefresh?: string; // the same with our client, where there is one
}

class Commands {
  list = $state<Command[]>([]);
}

export const commands = new Commands();

/** Show these commands while the calling component lives; call it in `$effect`. */
export function showCommands(list: Command[]): () => void {
  commands.list = list;
  return () => {
    if (commands.list === list) commands.list = [];
  };
}

/** Quote one word for a shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command line with curl; the key is a variable of the shell, so that none is shown. */
export function curl({ method, path, body }: Command): string {
  const words = ["curl", "-sS", "--fail-with-body"];
  if (method !== "GET") words.push("-X", method);
  words.push("-H", '"Authorization: $CF_API_KEY"');
  if (body !== undefined) words.push("-H", "'Content-Type: application/json'", "-d", quoted(JSON.stringify(body)));
  words.push(quoted(`${window.location.origin}/api${path}`));
  return words.join(" ");
}
