// Drives a Chromium for the benchmarks: reads steps as lines of JSON, and answers each with one.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { bundled } from "./bundle.mjs";

const require = createRequire(new URL("../../tests/browser/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WINDOW = { width: 1280, height: 800 };
const FRAME_MS = 1000 / 60;
const PLOT = ".plot-area .u-over";

const browser = await chromium.launch({ executablePath: process.argv[2], headless: true, args: FLAGS });
let page, protocol;

const steps = {
  /** Open a window at an address; `account` signs in, `script` takes the place of what the server shows there. */
  async open({ url, account = null, script = null }) {
    await page?.context().close();
    const context = await browser.newContext({ viewport: WINDOW, bypassCSP: true });
    await context.addInitScript(instruments, account);
    page = await context.newPage();
    protocol = await context.newCDPSession(page);
    await protocol.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.goto(url);
    if (!script) return;
    await page.evaluate(() => (document.body.innerHTML = '<ul id="root"></ul>'));
    await page.addScriptTag({ content: await bundled(script), type: "module" });
  },
  /** Wait until something is there. */
  async there({ selector }) {
    await page.locator(selector).first().waitFor({ timeout: 60_000 });
  },
  /** Go to a page of the desk and wait for what is drawn there, in ms. */
  drawn: ({ hash, selector }) => page.evaluate(([hash, selector]) => window.bench.drawn(hash, selector), [hash, selector]),
  /** Fetch so many bytes over a bare WebSocket, in ms. */
  bare: ({ url, bytes, frame }) => page.evaluate(([url, bytes, frame]) => window.bench.bare(url, bytes, frame), [url, bytes, frame]),
  /** Count frames for some seconds, while nothing is done or one of the gestures. */
  async frames({ seconds, gesture = null }) {
    await gestures[gesture]?.before();
    const before = await busy();
    await page.evaluate(() => window.bench.start());
    if (gesture) await played(gestures[gesture], seconds);
    else await pause(seconds * 1000);
    const counted = await page.evaluate(() => window.bench.stop());
    if (gesture && counted.drawn < counted.rate / 2) throw new Error(`${gesture}: the plot has not moved`);
    return { ...counted, busy: ((await busy()) - before) / counted.seconds };
  },
  /** Zoom in by the key, step by step, until nothing is on its way: the bytes that each step received. */
  async zoomed({ steps: count }) {
    await gestures.zoom.before();
    const bytes = [];
    for (let step = 0; step < count; step += 1) {
      const before = await received();
      await page.keyboard.press("+");
      await settled();
      bytes.push((await received()) - before);
    }
    return bytes;
  },
  screenshot: ({ path }) => page.screenshot({ path }).then(() => null),
  /** What the page counts of itself. */
  counted: () => page.evaluate(() => window.counted),
};

/** What hands do: `turn` makes one movement a frame; `phase` runs from 0 to 1. */
const gestures = {
  zoom: { before: whole, turn: (phase) => page.mouse.wheel(0, phase % 0.5 < 0.25 ? -60 : 60) },
  pan: { before: () => closeTo(10), turn: (phase) => page.mouse.wheel(phase < 0.5 ? 30 : -30, 0) },
  strip: { before: grip, turn: async (phase) => page.mouse.move(...(await along(0.1 + 0.8 * Math.abs(1 - 2 * phase)))) , after: () => page.mouse.up() },
};

async function played({ turn, after }, seconds) {
  const began = performance.now();
  const turning = [];
  const passed = () => (performance.now() - began) / 1000;
  for (let count = 1; passed() < seconds; count += 1) {
    turning.push(turn(passed() / seconds)); // the answer comes a frame later, when the next turn is due
    await pause(Math.max(0, began + count * FRAME_MS - performance.now()));
  }
  await Promise.all(turning);
  await after?.();
}

async function whole() {
  await page.locator(".plot-area").scrollIntoViewIfNeeded();
  await page.locator(".plot-area").focus();
  await page.keyboard.press("0");
  await over(PLOT, 0.4);
  await settled();
}

/** Zoom in by so many steps of the key. */
async function closeTo(steps) {
  await whole();
  for (let step = 0; step < steps; step += 1) await page.keyboard.press("+");
  await settled();
}

async function grip() {
  await closeTo(8);
  const { x, y, width, height } = await page.locator(".overview-frame").boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
}

async function along(part) {
  const { x, y, width, height } = (along.box ??= await page.locator(".overview").boundingBox());
  return [x + width * part, y + height / 2];
}

async function over(selector, part) {
  const { x, y, width, height } = await page.locator(selector).boundingBox();
  await page.mouse.move(x + width * part, y + height / 2);
}

/** Wait until what is shown has been fetched. */
async function settled() {
  await pause(50);
  await page.locator(".refining.on").waitFor({ state: "detached" });
}

const received = () => page.evaluate(() => window.bench.received);

/** Seconds that the main thread has worked so far. */
async function busy() {
  const { metrics } = await protocol.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value;
}

/** In the page, before anything else: what counts and measures there. */
function instruments(account) {
  if (account) localStorage.setItem("motion-desk:account", JSON.stringify(account));
  const bench = (window.bench = { received: 0, pictures: 0, turns: 0 });
  let turned = false;
  for (const event of ["wheel", "pointermove"]) addEventListener(event, () => (turned = true), { capture: true, passive: true });
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...args) {
    bench.pictures += 1;
    clear.apply(this, args);
  };
  const Bare = window.WebSocket;
  window.WebSocket = class extends Bare {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => (bench.received += data.byteLength ?? data.length));
    }
  };
  let times = null;
  bench.start = () => {
    const mine = (times = []);
    bench.pictures = bench.turns = 0;
    requestAnimationFrame(function look(now) {
      mine.push(now);
      if (turned) bench.turns += 1;
      turned = false;
      if (times === mine) requestAnimationFrame(look);
    });
  };
  bench.stop = () => {
    const seen = times;
    times = null;
    const gaps = seen.slice(1).map((time, index) => time - seen[index]);
    const seconds = (seen.at(-1) - seen[0]) / 1000;
    return { seconds, rate: gaps.length / seconds, drawn: bench.pictures / seconds, turns: bench.turns / seconds, longest: Math.max(...gaps) };
  };
  bench.drawn = (hash, selector) =>
    new Promise((resolve) => {
      const began = performance.now();
      location.hash = hash;
      requestAnimationFrame(function look() {
        // drawn with the frame in which it is there, or with the next
        if (document.querySelector(selector)) requestAnimationFrame(() => resolve(performance.now() - began));
        else requestAnimationFrame(look);
      });
    });
  bench.bare = (url, bytes, frame) =>
    new Promise((resolve, reject) => {
      const socket = new Bare(url);
      socket.binaryType = "arraybuffer";
      let [began, missing] = [0, bytes];
      socket.onopen = () => {
        began = performance.now();
        socket.send(`${bytes} ${frame}`);
      };
      socket.onerror = () => reject(new Error("no bare server"));
      socket.onmessage = ({ data }) => {
        missing -= data.byteLength;
        if (missing > 0) return;
        socket.close();
        resolve(performance.now() - began);
      };
    });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...args } = JSON.parse(line);
  const answer = await steps[step](args).then((value) => ({ value: value ?? null }), (error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
