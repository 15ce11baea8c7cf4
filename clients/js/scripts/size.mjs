/** Measure client and hooks as a page loads them, minified and gzipped; fails when they are larger than they may be. */
import { gzipSync } from "node:zlib";
import { build } from "vite";

const LIMIT = 30_600;

// not as a library, of which vite leaves the white space: as the page that has it as a dependency
const output = await build({
  configFile: false,
  logLevel: "warn",
  build: {
    write: false,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: { index: "src/index.ts", react: "src/react/index.ts" },
      preserveEntrySignatures: "strict",
      external: ["react", "react/jsx-runtime"],
    },
  },
});
const chunks = [output].flat().flatMap((bundle) => bundle.output).filter((file) => file.type === "chunk");
let total = 0;
for (const { fileName, code, isDynamicEntry } of chunks) {
  const size = gzipSync(code).length;
  if (!isDynamicEntry) total += size; // what is loaded later, if at all, does not count
  console.log(`${fileName.padEnd(24)} ${String(size).padStart(7)} bytes gzipped${isDynamicEntry ? ", once it is needed" : ""}`);
}
console.log(`${"together".padEnd(24)} ${String(total).padStart(7)} of ${LIMIT}`);
if (total > LIMIT) process.exit(1);
