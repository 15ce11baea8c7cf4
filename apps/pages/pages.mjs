/**
 * What the pages of the small applications share: each is a folder here, named as its application beside this one.
 *
 *     node pages.mjs api              write the typed functions of each application to NAME/api
 *     node pages.mjs build [NAME...]  check the types and build apps/NAME/web, of all if none is named
 *     node pages.mjs dev NAME         serve one as its sources change, beside `synovia dev apps/NAME`
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, createServer } from "vite";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const APPS = join(HERE, "..");
const PATH = [join(APPS, "..", ".venv", "bin"), process.env.PATH].join(delimiter);

const all = readdirSync(HERE).filter((name) => existsSync(join(HERE, name, "index.html")));
const [command, ...named] = process.argv.slice(2);
const names = named.length > 0 ? named : all;
for (const name of names) if (!all.includes(name)) throw new Error(`there is no page ${name}; there are ${all.join(", ")}`);

// without a virtual environment, as where an image is built, the functions have been written before
for (const name of existsSync(join(APPS, "..", ".venv")) ? all : []) {
  execFileSync("synovia", ["codegen", join(APPS, name), "--ts", join(HERE, name, "api")], { env: { ...process.env, PATH } });
}
if (command === "build") {
  execFileSync(join(HERE, "node_modules", ".bin", "tsc"), ["--noEmit", "-p", HERE], { stdio: "inherit" });
  for (const name of names) await build({ configFile: join(HERE, "vite.config.ts"), mode: name, logLevel: "warn" });
} else if (command === "dev") {
  const server = await createServer({ configFile: join(HERE, "vite.config.ts"), mode: names[0] });
  await server.listen();
  server.printUrls();
} else if (command !== "api") throw new Error("api, build or dev");
