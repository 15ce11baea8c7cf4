/** The main process: a module for Node, with the client's part in it. */
import { defineConfig } from "vite";
import { synovia } from "./synovia.config.ts";

export default defineConfig({
  resolve: { alias: synovia },
  build: {
    outDir: "dist/main",
    emptyOutDir: true,
    target: "node22",
    minify: false,
    lib: { entry: "src/main/main.ts", formats: ["es"], fileName: () => "main.js" },
    rollupOptions: { external: ["electron", /^node:/] },
  },
});
