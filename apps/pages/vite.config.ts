import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { packed } from "../motion/desk/packed.config.ts";

const HUB = process.env["SYNOVIA_URL"] ?? "http://127.0.0.1:8000";
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const proxy = Object.fromEntries(
  ["/sync", "/auth", "/api"].map((path) => [path, { target: HUB, changeOrigin: true, headers: { origin: HUB }, ws: path === "/sync" }]),
);

// the mode is the name of the application
export default defineConfig(({ mode }) => ({
  root: here(mode),
  // relative to the <base> of the page, in whose place a hub that is mounted below a path puts that path
  base: "./",
  publicDir: here("shared/public"),
  plugins: [react(), packed()],
  resolve: {
    // the client from its sources: a fresh clone needs no build of it
    alias: [
      { find: /^synovia-client$/, replacement: here("../../clients/js/src/index.ts") },
      { find: /^synovia-client\/react$/, replacement: here("../../clients/js/src/react/index.ts") },
      { find: /^synovia-client\/yjs$/, replacement: here("../../clients/js/src/yjs/index.ts") },
      { find: /^synovia-client\/yjs\/react$/, replacement: here("../../clients/js/src/yjs/react.ts") },
    ],
    dedupe: ["react", "react-dom", "yjs", "y-protocols", "lib0"],
  },
  server: { proxy, fs: { allow: [here("."), here("../../clients/js")] } },
  // where the hub looks for it
  build: { outDir: `../../${mode}/web`, emptyOutDir: true, target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"], assetsInlineLimit: 0 },
}));
