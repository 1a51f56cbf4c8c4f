/** Parts of the shell that come after the first view. */
import { showUnseen } from "../lib/unseen";

export { default as Foot } from "./Foot.svelte";
export { default as Menu } from "./Menu.svelte";
showUnseen(document.body);
