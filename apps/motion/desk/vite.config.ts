import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { packed } from "./packed.config.ts";

const HUB = process.env["SYNOVIA_URL"] ?? "http://127.0.0.1:8000";
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The hub that `synovia dev` runs answers what the page asks of its own origin; it takes no calls from pages of another one.
const proxy = Object.fromEntries(
  ["/sync", "/auth", "/import", "/export", "/api"].map((path) => [path, { target: HUB, changeOrigin: true, headers: { origin: HUB }, ws: path === "/sync" }]),
);

export default defineConfig({
  // relative to the <base> of the page, in whose place a hub that is mounted below a path puts that path
  base: "./",
  plugins: [react(), packed()],
  resolve: {
    // the client from its sources: a fresh clone needs no build of it
    alias: [
      { find: /^synovia-client$/, replacement: here("../../../clients/js/src/index.ts") },
      { find: /^synovia-client\/react$/, replacement: here("../../../clients/js/src/react/index.ts") },
    ],
    dedupe: ["react", "react-dom"],
  },
  server: { proxy, fs: { allow: [here("."), here("../../../clients/js")] } },
  preview: { proxy },
  // where the hub looks for it
  build: { outDir: "../web", emptyOutDir: true, target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"], assetsInlineLimit: 0 },
  test: { include: ["test/**/*.test.ts"] },
});
