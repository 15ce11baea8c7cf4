// Both clients in one Node.js: Synovia's own and npm convex, which read one list and change it. Does what it is asked, step by step.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CLIENT = here("../clients/js/");
const FRONT = here("../examples/convex-chat/front/");

const { WebSocket } = await import(pathToFileURL(`${CLIENT}node_modules/ws/wrapper.mjs`));
globalThis.WebSocket = WebSocket; // both use the same
console.log = console.warn = () => {}; // npm convex tells there of broken connections; here are the answers
const folder = mkdtempSync(join(tmpdir(), "synovia-guests-"));
const { SynoviaClient } = await bundled();
const { ConvexClient } = await import(pathToFileURL(`${FRONT}node_modules/convex/dist/esm/browser/index-node.js`));

async function bundled() {
  const { build } = await import(pathToFileURL(`${CLIENT}node_modules/vite/dist/node/index.js`));
  const lib = { entry: `${CLIENT}src/index.ts`, formats: ["es"], fileName: "client" };
  const built = await build({ root: CLIENT, configFile: false, logLevel: "error", build: { write: false, minify: false, target: "es2022", lib } });
  const file = join(folder, "client.mjs");
  writeFileSync(file, built[0].output[0].code);
  return import(pathToFileURL(file));
}

const KINDS = {
  synovia: { connect: (url) => new SynoviaClient(url.replace("http", "ws")), path: (name) => `sensors:${name}` },
  convex: { connect: (url) => new ConvexClient(url), path: (name) => ({ [Symbol.for("functionName")]: `sensors:${name}` }) },
};

let kind, reader, writer, shown, arrived;
let levels = 0;

/** Wait until the reader shows so much at a place. */
function shows(id, level) {
  return new Promise((resolve) => {
    arrived = (rows) => {
      if (rows.find((row) => row._id === id)?.level === level) resolve(performance.now());
    };
    if (shown) arrived(shown);
  });
}

const steps = {
  /** Connect a reader, perhaps through a relay, and a writer; wait for the list. */
  async open(asked) {
    kind = KINDS[asked.kind];
    shown = arrived = undefined;
    reader = kind.connect(asked.reader);
    writer = kind.connect(asked.writer);
    await new Promise((resolve) =>
      reader.onUpdate(kind.path("in_room"), { room: asked.room }, (rows) => {
        shown = rows;
        arrived?.(rows);
        resolve();
      }),
    );
    return shown.length;
  },
  /** Change one document after the other; give the milliseconds from each call to the reader's new list. */
  async change({ count }) {
    const times = [];
    for (let number = 0; number < count; number += 1) {
      const { _id } = shown[(number * 37) % shown.length];
      const level = (levels += 1);
      const seen = shows(_id, level);
      const began = performance.now();
      await writer.mutation(kind.path("set_level"), { sensorId: _id, level });
      times.push((await seen) - began);
    }
    return times;
  },
  /** Change a document, and do not wait for the reader. */
  async change_unseen() {
    const { _id } = shown[0];
    const level = (levels += 1);
    await writer.mutation(kind.path("set_level"), { sensorId: _id, level });
    return { id: _id, level };
  },
  async shown({ id, level }) {
    await shows(id, level);
    return null;
  },
  async close() {
    await Promise.all([reader.close(), writer.close()]);
    return null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...asked } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await steps[step](asked)) ?? null };
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
rmSync(folder, { recursive: true });
process.exit(0);
