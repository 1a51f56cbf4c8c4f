/** Every page: its address, its name, and what to load when it is opened. */
import type { Route } from "./lib/router.svelte";

export const ROUTES: Route[] = [
  { pattern: "/", title: "Home", load: () => import("./views/Builds.svelte") },
  { pattern: "/builds", title: "Builds", load: () => import("./views/Builds.svelte") },
  { pattern: "/builds/:id", title: "Build", load: () => import("./views/Build.svelte") },
  { pattern: "/pipelines", title: "Pipelines", load: () => import("./views/Pipelines.svelte") },
  { pattern: "/pipelines/:name", title: "Pipeline", load: () => import("./views/Pipeline.svelte") },
  { pattern: "/projects/:project", title: "Project", load: () => import("./views/Pipelines.svelte") },
  { pattern: "/projects", title: "Projects", load: () => import("./views/Projects.svelte") },
  { pattern: "/user/keys", title: "API keys", load: () => import("./views/ApiKeys.svelte") },
];
