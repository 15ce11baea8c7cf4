/** The client from its sources: a fresh clone needs no build of it. Beside an installed synovia-client this is not needed. */
import { fileURLToPath } from "node:url";

const source = (path: string): string => fileURLToPath(new URL(`../../clients/js/src/${path}.ts`, import.meta.url));

export const synovia = [
  { find: /^synovia-client$/, replacement: source("index") },
  { find: /^synovia-client\/(.*node)$/, replacement: source("desktop/node") },
  { find: /^synovia-client\/(react|desktop|yjs)$/, replacement: source("$1/index") },
];
