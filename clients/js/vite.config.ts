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
        "yjs/index": "src/yjs/index.ts",
        "yjs/react": "src/yjs/react.ts",
        "desktop/index": "src/desktop/index.ts",
        "desktop/node": "src/desktop/node.ts",
      },
      formats: ["es"],
    },
    rollupOptions: { external: ["react", "react/jsx-runtime", "yjs", /^y-protocols\//, /^node:/], output: { chunkFileNames: "shared/[name].js" } },
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    testTimeout: 20_000,
    // the files share no more than functions: React, jsdom and the process that hubs are forked from are loaded once a thread
    pool: "threads",
    isolate: false,
  },
});
