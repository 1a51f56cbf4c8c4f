import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The pages go into the package, where the server finds them.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/headrace/web/built",
    emptyOutDir: true,
    modulePreload: false, // its helper is larger than what it saves on one host
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: address
    target: "es2022",
    rolldownOptions: {
      treeshake: { moduleSideEffects: [{ test: /svelte\/src\/internal\/client\/dom\//, sideEffects: false }] },
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          // Parts of the framework that the shell does without.
          groups: [{ name: "framework", test: /svelte\/src\/internal\/client\/dom\/(blocks\/each|elements\/bindings\/(select|input|size))\.js/ }],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
