/** Measure client and hooks as a page loads them, minified and gzipped; fails when they are larger than they may be. */
import { gzipSync } from "node:zlib";
import { build } from "vite";

const LIMIT = 27_000;

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
for (const { fileName, code } of chunks) {
  const size = gzipSync(code).length;
  total += size;
  console.log(`${fileName.padEnd(24)} ${String(size).padStart(7)} bytes gzipped`);
}
console.log(`${"together".padEnd(24)} ${String(total).padStart(7)} of ${LIMIT}`);
if (total > LIMIT) process.exit(1);
