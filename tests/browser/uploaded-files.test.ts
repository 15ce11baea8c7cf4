/** Files that somebody has uploaded, opened in Chromium on the hub's own origin: nothing in them runs, and images are shown. */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";
import { Hub, ROOT } from "./harness/hub.ts";

const CABINET = join(ROOT, "tests", "apps", "cabinet.py");
const SCRIPT = "document.title = 'ran'; fetch('/ran')";
const HTML = `<!doctype html><title>no</title><script>${SCRIPT}</script>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><script>${SCRIPT}</script><rect width="10" height="10"/></svg>`;
const XHTML = `<html xmlns="http://www.w3.org/1999/xhtml"><script>${SCRIPT}</script></html>`;
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

describe.skipIf(noBrowser)("uploaded files in a browser", () => {
  const hub = new Hub(CABINET);
  let browser: Browser;
  let context: BrowserContext;
  let asked: string[] = [];

  beforeAll(async () => {
    [browser] = await Promise.all([openBrowser(), hub.start()]);
    context = await browser.newContext({ acceptDownloads: true });
  });
  afterEach(() => (asked = []));
  afterAll(async () => {
    await closeWindows();
    await hub.stop();
  });

  const base = (): string => `http://127.0.0.1:${hub.port}`;

  async function ask(path: string, body: unknown, method = "POST", headers: Record<string, string> = {}): Promise<any> {
    const sent = method === "POST" ? JSON.stringify(body) : (body as Uint8Array<ArrayBuffer>);
    const answer = await fetch(base() + path, { method, body: sent, headers: { "content-type": "application/json", ...headers } });
    expect(answer.ok).toBe(true);
    return answer.status === 204 ? null : answer.json();
  }

  /** Upload a file as somebody who is not signed in, and give its address. */
  async function uploaded(name: string, type: string, data: Uint8Array<ArrayBuffer>): Promise<string> {
    const { upload } = await ask("/api/uploads", { path: "cabinet:keep", name, type, size: data.length });
    await ask(`/api/uploads/${upload}`, data, "PATCH", { "content-type": "application/octet-stream", "upload-offset": "0" });
    await ask("/api/mutation", { path: "cabinet:keep", args: { upload } });
    const { result } = await ask("/api/query", { path: "cabinet:blobs", args: {} });
    return base() + result.at(-1);
  }

  async function open(): Promise<Page> {
    const page = await context.newPage();
    page.on("request", (request) => void asked.push(request.url()));
    return page;
  }

  it.each([
    ["a.html", "text/html", HTML],
    ["a.svg", "image/svg+xml", SVG],
    ["a.xhtml", "application/xhtml+xml", XHTML],
  ])("saves %s, and runs nothing in it", async (name, type, text) => {
    const url = await uploaded(name, type, Buffer.from(text));
    const page = await open();
    const [download] = await Promise.all([page.waitForEvent("download"), page.goto(url).catch(() => null)]);
    expect(download.suggestedFilename()).toBe(name);
    await embedded(page, url);
  });

  it.each([
    ["a.txt", "text/plain"],
    ["a.png", "image/png"],
  ])("shows %s as what it is said to be, whatever is in it", async (name, type) => {
    const url = await uploaded(name, type, Buffer.from(HTML));
    const page = await open();
    await page.goto(url);
    expect(await page.title()).not.toMatch(/^(no|ran)$/);
    await embedded(page, url);
  });

  /** Put a file into a page of the hub in every way that could run it: none does. */
  async function embedded(page: Page, url: string): Promise<void> {
    await page.goto(`${base()}/health/live`);
    await page.evaluate(async (url) => {
      for (const kind of ["iframe", "embed", "script", "img"]) {
        const element = Object.assign(document.createElement(kind), { src: url });
        const over = new Promise((resolve) => Object.assign(element, { onload: resolve, onerror: resolve }));
        document.body.append(element);
        await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1_000))]); // a download tells of nothing
      }
    }, url);
    expect(await page.title()).not.toBe("ran");
    expect(asked.filter((each) => each.endsWith("/ran"))).toEqual([]);
    await page.close();
  }

  it("shows an image in a page", async () => {
    const url = await uploaded("dot “1”.gif", "image/gif", GIF);
    const page = await open();
    await page.goto(`${base()}/health/live`);
    const width = await page.evaluate(async (url) => {
      const image = new Image();
      image.src = url;
      await image.decode();
      return image.naturalWidth;
    }, url);
    expect(width).toBe(1);
    await page.close();
  });
});
