import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { packed } from "./packed.config.ts";

const HUB = process.env["SYNOVIA_URL"] ?? "http://127.0.0.1:8000";
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Only a hub's own page may open a session, so the one of `vite dev` has to look like it.
const proxy = Object.fromEntries(
  ["/sync", "/_synovia/session", "/api", "/health"].map((path) => [path, { target: HUB, changeOrigin: true, headers: { origin: HUB }, ws: path === "/sync" }]),
);

export default defineConfig({
  // relative to the <base> of the page: a hub may be mounted below a path
  base: "./",
  plugins: [react(), packed()],
  resolve: {
    // the client from its sources: a fresh clone needs no build of it
    alias: [
      { find: /^synovia-client$/, replacement: here("../../clients/js/src/index.ts") },
      { find: /^synovia-client\/react$/, replacement: here("../../clients/js/src/react/index.ts") },
    ],
    dedupe: ["react", "react-dom"],
  },
  server: { proxy, fs: { allow: [here("."), here("../../clients/js")] } },
  // where the hub looks for it, and the wheel takes it from
  build: { outDir: "../synovia/dashboard/web", emptyOutDir: true, target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"], assetsInlineLimit: 0 },
  test: { include: ["test/**/*.test.ts"] },
});
