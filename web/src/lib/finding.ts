/** The search of a list that is read as a whole: what stands in the address, found in either case. */
import { address } from "./router.svelte";

/** What is searched for; empty: nothing is left out. */
export const searched = (): string => address.query.get("name") ?? "";

/** Whether one of the texts holds what is searched for. */
export function isFound(...texts: (string | null | undefined)[]): boolean {
  const wanted = searched().toLowerCase();
  return texts.some((text) => (text ?? "").toLowerCase().includes(wanted));
}
