/** The address of the page, as state: a view is a function of it. */
import type { Component } from "svelte";

export type Parameters = Record<string, string>;
// A view may take `parameters`, the named segments of its path, or nothing.
type Load = () => Promise<{ default: Component<never> }>;

export interface Route {
  pattern: string; // `/pipelines/:name/builds`; `:name` is one segment, decoded
  title: string;
  load: Load;
}

const AGAIN_MS = 500;

/** Load a part of the page; once more, when a network that changed or a server that began anew has cut it off. */
export const twice = <T>(load: () => Promise<T>): Promise<T> => load().catch(() => new Promise((done) => setTimeout(done, AGAIN_MS)).then(load));

export interface Match {
  route: Route;
  parameters: Parameters;
}

// `//other.example` as a path would be another host as a link.
const ownPath = () => window.location.pathname.replace(/^\/+/, "/");

class Address {
  path = $state(ownPath());
  query = $state(new URLSearchParams(window.location.search));
  hash = $state(window.location.hash);

  read(): void {
    if (this.path !== ownPath()) this.path = ownPath();
    if (this.query.toString() !== new URLSearchParams(window.location.search).toString()) {
      this.query = new URLSearchParams(window.location.search);
    }
    this.hash = window.location.hash;
  }
}

/** What stands before every way off the page, while there is something to lose; false keeps the page. */
export const gate: { open?: (to: URL, went?: boolean) => boolean } = {}; // `went`: the browser has gone there

export const address = new Address();
window.addEventListener("popstate", () => {
  if (gate.open?.(new URL(window.location.href), true) !== false) address.read();
});
window.addEventListener("hashchange", () => address.read());

/** Go to a page of ours. `replace` leaves no entry in the history. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const target = new URL(to, window.location.href);
  if (target.origin !== window.location.origin) return; // never leads away
  if (gate.open?.(target) === false) return;
  const moved = target.pathname !== window.location.pathname;
  window.history[replace ? "replaceState" : "pushState"]({}, "", target);
  address.read();
  if (moved) window.scrollTo(0, 0);
}

/** Change parts of the query string; an empty value takes a name out. What is chosen is a step of the history, typing is not. */
export function setQuery(changes: Record<string, string | string[] | undefined>, how?: { replace: boolean }): void {
  const query = new URLSearchParams(address.query);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one) query.append(name, one);
  }
  const text = query.toString();
  go(address.path + (text && `?${text}`), how);
}

/** Handle clicks on links to pages of ours without loading the document anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
  if (/^\/(api|ws|metrics|healthz|readyz)(\/|$)/.test(link.pathname)) return;
  if (link.pathname === window.location.pathname && link.hash && link.search === window.location.search) return;
  event.preventDefault();
  go(link.href);
}

/** Find the route of a path. */
export function match(routes: Route[], path: string): Match | undefined {
  const given = path.split("/").filter(Boolean);
  for (const route of routes) {
    const wanted = route.pattern.split("/").filter(Boolean);
    if (wanted.length !== given.length) continue;
    const parameters: Parameters = {};
    const fits = wanted.every((word, index) => {
      const text = given[index] ?? "";
      if (!word.startsWith(":")) return word === text;
      try {
        parameters[word.slice(1)] = decodeURIComponent(text);
      } catch {
        return false;
      }
      return true;
    });
    if (fits) return { route, parameters };
  }
  return undefined;
}
