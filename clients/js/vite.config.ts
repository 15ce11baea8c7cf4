import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    target: "es2022",
    minify: false,
    sourcemap: true,
    lib: {
      entry: {
        index: "src/index.ts",
        "react/index": "src/react/index.ts",
        "desktop/index": "src/desktop/index.ts",
        "desktop/node": "src/desktop/node.ts",
      },
      formats: ["es"],
    },
    rollupOptions: { external: ["react", "react/jsx-runtime", /^node:/], output: { chunkFileNames: "shared/[name].js" } },
  },
  test: { include: ["test/**/*.test.{ts,tsx}"], testTimeout: 20_000 },
});
