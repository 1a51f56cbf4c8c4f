/** Calls of the public API with the session cookie; types come from its OpenAPI document. */
import type { components } from "../api";

export type Schemas = components["schemas"];
export type Query = Record<string, string | number | boolean | string[] | undefined>;
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What the server refused, with its own words. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: unknown = undefined,
  ) {
    super(message);
  }
}

type Lost = () => void;
let lost: Lost = () => {};

/** Say what happens when the session has ended. */
export function onSessionLost(act: Lost): void {
  lost = act;
}

/** Return the query string, with `?` where there is one; empty values are left out. */
export function queryText(query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") words.append(name, String(one));
    }
  }
  const text = words.toString();
  return text && `?${text}`;
}

/** Write one name as one segment of a path. */
export const segment = encodeURIComponent;

interface Asked {
  query?: Query;
  body?: unknown;
}

/** Send one request below /api; throws `ApiFailure` for anything but a success. */
async function ask(method: Method, path: string, { query, body }: Asked): Promise<Response> {
  const headers: Record<string, string> = { "X-Headrace-Page": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(`/api${path}${queryText(query)}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiFailure(0, "the server cannot be reached; try again when it answers");
  }
  if (answer.ok) return answer;
  const value = await valueOf(answer);
  if (answer.status === 401 && path !== "/auth/login") lost();
  throw new ApiFailure(answer.status, messageOf(value) ?? `the server answered ${answer.status}`, value);
}

async function valueOf(answer: Response): Promise<unknown> {
  const text = await answer.text();
  return text && answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
}

/** Send one request below /api and return what it answers; throws `ApiFailure`. What changes something is an `Action`. */
export async function call<T>(method: Method, path: string, asked: Asked = {}): Promise<T> {
  return (await valueOf(await ask(method, path, asked))) as T;
}

/** Read bytes; throws `ApiFailure`. */
export async function getBytes(path: string, query?: Query): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await ask("GET", path, { query })).arrayBuffer());
}

function messageOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && "message" in value ? String(value.message) : undefined;
}

export const get = <T>(path: string, query?: Query) => call<T>("GET", path, { query });

/** Ask something that needs a body; nothing changes. What changes something is an `Action`. */
export const question = <T>(path: string, body: unknown) => call<T>("POST", path, { body });
