import { defineConfig } from "vitest/config";
import { synovia } from "../../examples/electron/synovia.config.ts";

export default defineConfig({
  resolve: { alias: synovia },
  test: {
    include: ["*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // one browser at a time: several would be slow enough on a small machine to look broken
    fileParallelism: false,
    // what drives the browser is loaded once: the files share no more than functions
    isolate: false,
    // what is waited for comes when the machine has time: other suites run beside this one
    expect: { poll: { timeout: 15_000 } },
  },
});
