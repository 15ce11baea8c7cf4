import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // one browser at a time: several would be slow enough on a small machine to look broken
    fileParallelism: false,
    // what is waited for comes when the machine has time: other suites run beside this one
    expect: { poll: { timeout: 15_000 } },
  },
});
