import { defineConfig } from "vitest/config";

export default defineConfig({
  // one browser at a time: several would be slow enough on a small machine to look broken
  test: { include: ["*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false },
});
