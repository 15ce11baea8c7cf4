/** The code in the guides compiles. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, expect, it } from "vitest";

const FOLDER = "build/guides";
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

it("the code in the guides compiles", () => {
  mkdirSync(FOLDER, { recursive: true });
  let count = 0;
  for (const page of ["README", "docs/js-client", "docs/react", "docs/desktop-js", "docs/shared-docs"]) {
    const text = readFileSync(`../../${page}.md`, "utf8");
    for (const [, kind, code] of text.matchAll(/```(tsx?)\n(.*?)```/gs)) writeFileSync(`${FOLDER}/${basename(page)}-${++count}.${kind}`, code!);
  }
  expect(count).toBeGreaterThan(6);
  const entries = { "": "index", "/react": "react/index", "/desktop": "desktop/index", "/desktop/node": "desktop/node", "/yjs": "yjs/index", "/yjs/react": "yjs/react" };
  const paths = Object.fromEntries(Object.entries(entries).map(([name, file]) => [`synovia-client${name}`, [`../../src/${file}.ts`]]));
  const options = { extends: "../../tsconfig.json", compilerOptions: { paths, module: "ESNext", moduleResolution: "Bundler" }, include: ["."] };
  writeFileSync(`${FOLDER}/tsconfig.json`, JSON.stringify(options));
  expect(compile()).toBe("");
});

function compile(): string {
  try {
    return execFileSync("node_modules/.bin/tsc", ["-p", FOLDER], { encoding: "utf8" });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
