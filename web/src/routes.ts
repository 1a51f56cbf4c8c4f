/** Every page: its address, its name, and what to load when it is opened. */
import type { Route } from "./lib/router.svelte";

export const ROUTES: Route[] = [
  { pattern: "/", title: "Home", load: () => import("./views/Home.svelte") },
  { pattern: "/builds", title: "Builds", load: () => import("./views/Builds.svelte") },
  { pattern: "/builds/:id", title: "Build", load: () => import("./views/Build.svelte") },
  { pattern: "/build/:id", title: "Build", load: () => import("./views/Build.svelte") }, // CF_BUILD_URL
  { pattern: "/pipelines", title: "Pipelines", load: () => import("./views/Pipelines.svelte") },
  { pattern: "/pipelines/:name", title: "Pipeline", load: () => import("./views/Pipeline.svelte") },
  { pattern: "/projects/:project", title: "Project", load: () => import("./views/Pipelines.svelte") },
  { pattern: "/projects", title: "Projects", load: () => import("./views/Projects.svelte") },
  { pattern: "/triggers", title: "Triggers", load: () => import("./views/Triggers.svelte") },
  { pattern: "/contexts", title: "Contexts", load: () => import("./views/Contexts.svelte") },
  { pattern: "/clusters", title: "Clusters", load: () => import("./views/Clusters.svelte") },
  { pattern: "/clusters/:name", title: "Cluster", load: () => import("./views/Cluster.svelte") },
  { pattern: "/environments", title: "Environments", load: () => import("./views/Environments.svelte") },
  { pattern: "/registries", title: "Registries", load: () => import("./views/Registries.svelte") },
  { pattern: "/images", title: "Images", load: () => import("./views/Images.svelte") },
  { pattern: "/step-types", title: "Step types", load: () => import("./views/StepTypes.svelte") },
  { pattern: "/workers", title: "Workers", load: () => import("./views/Workers.svelte") },
  { pattern: "/users", title: "Users", load: () => import("./views/Users.svelte") },
  { pattern: "/user/keys", title: "API keys", load: () => import("./views/ApiKeys.svelte") },
];
