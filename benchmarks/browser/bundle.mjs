// Makes one script of a page's sources, as for production, with the tools and the packages of the desk.
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DESK = here("../../apps/motion/desk/");

export async function bundled(name) {
  const { build } = await import(`${DESK}node_modules/vite/dist/node/index.js`);
  const built = await build({
    root: DESK,
    configFile: false,
    logLevel: "error",
    resolve: {
      alias: [
        { find: /^synovia-client$/, replacement: here("../../clients/js/src/index.ts") },
        { find: /^synovia-client\/react$/, replacement: here("../../clients/js/src/react/index.ts") },
        { find: /^(react|react-dom)(?=\/|$)/, replacement: `${DESK}node_modules/$1` },
      ],
    },
    build: { write: false, minify: false, modulePreload: false, rollupOptions: { input: here(name) } },
  });
  return built.output[0].code;
}
