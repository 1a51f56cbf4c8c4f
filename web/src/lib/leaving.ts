/** Asks before a page is left that would lose what was written. */
import { gate, go } from "./router.svelte";

type Ask = (leave: () => void) => void;

/**
 * Hold the reader on this page while `isDirty` says so: `ask` is given the way to leave in spite of it.
 * Returns the way to stop.
 */
export function guardLeaving(isDirty: () => boolean, ask: Ask): () => void {
  let here = new URL(window.location.href);
  const place = ({ pathname, search }: { pathname: string; search: string }) => pathname + search;
  const open = (to: URL, went = false) => {
    if (!isDirty() || place(here) === place(to)) {
      here = to;
      return true;
    }
    if (went) window.history.pushState({}, "", here.href);
    ask(() => {
      stop();
      go(to.href);
    });
    return false;
  };
  const unload = (event: BeforeUnloadEvent) => isDirty() && event.preventDefault();
  gate.open = open;
  window.addEventListener("beforeunload", unload);
  function stop() {
    if (gate.open === open) delete gate.open;
    window.removeEventListener("beforeunload", unload);
  }
  return stop;
}
