/** Pages that are opened from a file, as Electron's often are: what Chromium says they are, and who lets them in. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { closeWindows, launch, noBrowser, openBrowser } from "./harness/chromium.ts";
import { Hub, ROOT } from "./harness/hub.ts";

const CHAT = join(ROOT, "examples", "convex-chat", "chat");

/** What the program allows pages from files says what they send. */
const READS_FILES = "--allow-file-access-from-files";

describe.skipIf(noBrowser)("a page from a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "synovia-page-"));
  const file = join(folder, "index.html");
  let plain: Browser;
  let trusting: Browser;

  beforeAll(async () => {
    writeFileSync(file, "<!doctype html><title>From a file</title>");
    [plain, trusting] = await Promise.all([openBrowser(), launch(READS_FILES)]);
  });
  afterAll(async () => {
    await Promise.all([closeWindows(), trusting?.close()]);
    rmSync(folder, { recursive: true });
  });

  it.each(["null", "file://"])("is let in by the name that it sends, %s", async (named) => {
    const hub = new Hub(CHAT, { SYNOVIA_ORIGINS: `https://app.example.org,${named}` });
    try {
      await hub.start();
      expect(await letIn(plain, hub.port)).toEqual(named === "null" ? [true, true] : [false, false]);
      expect(await letIn(trusting, hub.port)).toEqual(named === "null" ? [false, false] : [true, true]);
    } finally {
      await hub.stop();
    }
  });

  /** Whether a socket is opened to it, and whether it may read the answer to a request. */
  async function letIn(browser: Browser, port: number): Promise<boolean[]> {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href);
    const socket = await page.evaluate(connected, `ws://127.0.0.1:${port}/api/1.48.0/sync`);
    return [socket, await page.evaluate(answered, `http://127.0.0.1:${port}/api/query`)];
  }
});

function connected(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => {
      socket.close();
      resolve(true);
    };
    socket.onerror = () => resolve(false);
  });
}

async function answered(url: string): Promise<boolean> {
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ path: "queries/channels:list", args: {} }) };
  try {
    return (await fetch(url, asked)).ok;
  } catch {
    return false;
  }
}
