/** The page: what the window shows. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { synovia } from "./synovia.config.ts";

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: { alias: synovia, dedupe: ["react", "react-dom"] },
  build: { outDir: "dist/page", emptyOutDir: true, target: "chrome140" },
});
