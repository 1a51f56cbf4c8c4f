/** Server-sent events of the account: what has changed, so that open lists read it again. */
import { ApiFailure, get } from "./api";

/** What is told of: the tag of the operations that change it. */
export type Kind =
  | "accounts"
  | "builds"
  | "clusters"
  | "compositions"
  | "contexts"
  | "environments"
  | "images"
  | "pipelines"
  | "projects"
  | "registries"
  | "runtime-environments"
  | "step-types"
  | "teams"
  | "tokens"
  | "triggers"
  | "users";
type Act = () => void;

const watching = new Map<Kind, Set<Act>>();
let source: EventSource | undefined;
const AGAIN_MS = 3_000;

class Live {
  connected = $state(true); // false while the stream is broken and the browser tries again
}

export const live = new Live();

function open(): void {
  source = new EventSource("/api/changes?seconds=86400");
  source.addEventListener("open", () => {
    live.connected = true;
    // What has changed since the lists were read, or while the stream was broken, was not told.
    for (const acts of watching.values()) for (const act of acts) act();
  });
  source.addEventListener("changed", (event) => {
    const { kind } = JSON.parse((event as MessageEvent<string>).data) as { kind: Kind };
    for (const act of watching.get(kind) ?? []) act();
  });
  source.addEventListener("error", () => {
    live.connected = false;
    if (source?.readyState === EventSource.CLOSED) void recover();
  });
}

/**
 * Wait until a stream that was given up may be opened anew: the browser tries again where the network broke, not
 * where something else answered, such as a proxy. False where nobody is logged in: who logs in again opens it.
 */
export async function mayOpenAgain(): Promise<boolean> {
  try {
    await get("/user");
  } catch (reason) {
    if (reason instanceof ApiFailure && reason.status === 401) return false;
  }
  await new Promise((done) => setTimeout(done, AGAIN_MS));
  return true;
}

async function recover(): Promise<void> {
  const broken = source;
  if ((await mayOpenAgain()) && source === broken) reopenLive();
}

/** Open the stream again where it was given up; every list is read then. */
export function reopenLive(): void {
  if (source?.readyState === EventSource.CLOSED) open();
  else for (const acts of watching.values()) for (const act of acts) act();
}

/** Call `act` whenever something of this kind has changed; returns the way to stop. */
export function onChange(kind: Kind, act: Act): () => void {
  if (!source || source.readyState === EventSource.CLOSED) open();
  const acts = watching.get(kind) ?? new Set();
  watching.set(kind, acts.add(act));
  return () => {
    acts.delete(act);
  };
}

/** Forget the stream, when the user logs out. */
export function closeLive(): void {
  source?.close();
  source = undefined;
}
