/** What stands between the page and the main process: one CommonJS file, which is all that a sandboxed preload may be. */
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "dist/preload",
    emptyOutDir: true,
    target: "chrome140",
    minify: false,
    lib: { entry: "src/preload/preload.ts", formats: ["cjs"], fileName: () => "preload.cjs" },
    rollupOptions: { external: ["electron"] },
  },
});
