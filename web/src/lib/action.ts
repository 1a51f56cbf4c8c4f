/** What the pages change: a request and the commands that do the same are one thing, said once. */
import { call, type Method, type Query, queryText, segment } from "./api";
import { bodyWord, type Command, quoted, words } from "./commands.svelte";

/** A request that changes something; `answer` is only the type of what comes back. */
export interface Action<T = unknown> extends Command {
  method: Method;
  readonly answer?: T;
}

interface Said {
  title: string;
  sdk: string; // the name of the operation, as `codefresh api` lists it
  method: Method;
  path: string; // as the API document has it: `/pipelines/{name}`
  at?: Record<string, string>; // what stands for the names in the path
  query?: Record<string, string | undefined>;
  body?: unknown;
  codefresh?: string; // where the client has a command of its own
}

/** Make an action; without a command of its own the client calls the operation by its name. */
export function action<T>({ title, sdk, method, path, at = {}, query = {}, body, codefresh }: Said): Action<T> {
  const given = Object.entries({ ...at, ...query }).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return {
    title,
    method,
    path: path.replace(/\{(\w+)\}/g, (_, name: string) => segment(at[name] ?? "")) + queryText(query as Query),
    body,
    codefresh:
      codefresh ??
      words(
        `codefresh api ${sdk}`,
        ...given.map(([name, value]) => quoted(`${name}=${value}`)),
        body !== undefined && `-d ${bodyWord(body)}`,
      ),
  };
}

/**
 * Do it; throws `ApiFailure`. Only the parts that show the commands beside their button may call this:
 * `Act`, `Form` and `Confirm`.
 */
export const perform = <T>({ method, path, body }: Action<T>): Promise<T> => call<T>(method, path, { body });
