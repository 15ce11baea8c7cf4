import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { issuer } from "./issuer.config.ts";

export default defineConfig({
  plugins: [react(), issuer()],
  build: { target: "es2022" },
});
