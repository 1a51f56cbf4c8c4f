/** Server-sent events of the account: what has changed, so that open lists read it again. */

/** What is told of: the tag of the operations that change it. */
export type Kind =
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
  });
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
