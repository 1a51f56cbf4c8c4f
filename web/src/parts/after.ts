/** Parts of the shell that come after the first view. */
export { default as Foot } from "./Foot.svelte";
export { default as Menu } from "./Menu.svelte";
