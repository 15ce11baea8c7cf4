/** What draws the live plot of a notebook: the module that the Python client gives to Jupyter, in a page of its own. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";

const SOURCES = new URL("../../clients/python/synovia_client/notebook/", import.meta.url);
const PAGE = `<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><link rel="stylesheet" href="/live_plot.css">
<body style="background: Canvas"><div id="here" style="width: 500px"></div>
<script type="module">import * as plot from "/live_plot.js"; window.plot = plot;</script></body></html>`;
const BLUE = [0x2a, 0x6f, 0xdb];
const PALE_BLUE = [0x7c, 0xab, 0xff];

describe.skipIf(noBrowser)("the live plot of a notebook", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(closeWindows);

  /** Show a plot as Jupyter does: a model with values and events, and an element to fill. */
  async function shown(values: Record<string, unknown> = {}, options = {}): Promise<Page> {
    const page = await (await browser.newContext({ deviceScaleFactor: 2, ...options })).newPage();
    await page.route("http://plot.example/**", (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const contentType = name.endsWith(".js") ? "text/javascript" : name.endsWith(".css") ? "text/css" : "text/html";
      return route.fulfill({ contentType, body: name ? readFileSync(new URL(name, SOURCES), "utf8") : PAGE });
    });
    await page.goto("http://plot.example/");
    await page.evaluate((values) => {
      const { plot } = window as any;
      const [held, heard] = [new Map<string, unknown>(), new Map<string, () => void>()];
      const model = {
        get: (name: string) => held.get(name),
        on: (event: string, call: () => void) => heard.set(event, call),
        set(changed: Record<string, unknown>) {
          for (const [name, value] of Object.entries(changed)) {
            held.set(name, name === "data" ? new DataView(Float64Array.from(value as number[]).buffer) : value);
            heard.get(`change:${name}`)?.();
          }
        },
      };
      model.set({ title: "", trouble: "", names: ["angle"], x_label: "at", y_label: "", height: 280, data: [], ...values });
      Object.assign(window, { model, end: plot.default.render({ model, el: document.getElementById("here") }) });
    }, values);
    return page;
  }

  const set = (page: Page, values: Record<string, unknown>): Promise<void> => page.evaluate((values) => (window as any).model.set(values), values);

  /** Count the pixels of a colour in the plot, once it has been drawn. */
  const pixels = (page: Page, colour: number[]): Promise<number> =>
    page.evaluate(async (colour) => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const canvas = document.querySelector("canvas")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let place = 0; place < data.length; place += 4) if (colour.every((part, index) => Math.abs(data[place + index]! - part) < 3)) count++;
      return count;
    }, colour);

  it("draws a line as its values come, sharp on a fine screen, with a gap for what is no number", async () => {
    const page = await shown();
    expect(await pixels(page, BLUE)).toBe(0);
    await set(page, { data: [0, 1, 2, 0, 5, 0] });
    await expect.poll(() => pixels(page, BLUE)).toBeGreaterThan(500);
    expect(await page.evaluate(() => [document.querySelector("canvas")!.width, document.querySelector("canvas")!.height])).toEqual([1000, 560]);
    await set(page, { data: [0, 1, 2, 0, NaN, 0] });
    await expect.poll(() => pixels(page, BLUE)).toBe(0);
    await page.context().close();
  });

  it("follows the size of its place, and the colours of the page", async () => {
    const page = await shown({ data: [0, 1, 2, 0, 5, 0] }, { colorScheme: "dark" });
    await expect.poll(() => pixels(page, PALE_BLUE)).toBeGreaterThan(500);
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(() => pixels(page, BLUE)).toBeGreaterThan(500);
    await page.evaluate(() => (document.getElementById("here")!.style.width = "300px"));
    await expect.poll(() => page.evaluate(() => document.querySelector("canvas")!.width)).toBe(600);
    await page.context().close();
  });

  it("says what it shows, and why it shows nothing new; names are text, whatever they are", async () => {
    const name = `<img src=x onerror="document.title = 'taken'">`;
    const page = await shown({ title: "Knees", names: ["left", name], data: [0, 1, 1, 2, 3, 4] });
    expect(await page.locator("li").allTextContents()).toEqual(["left", name]);
    expect(await page.locator("img").count()).toBe(0);
    await page.getByRole("heading", { name: "Knees" }).waitFor();
    await page.getByRole("img", { name: "Knees: left" }).waitFor();
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    await set(page, { trouble: "not_found: no such list", title: "" });
    await page.getByText("not_found: no such list").waitFor();
    expect(await page.getByRole("heading").count()).toBe(0);
    await page.context().close();
  });

  it("draws nothing more once it is taken away", async () => {
    const page = await shown();
    await page.evaluate(() => (window as any).end());
    const width = await page.evaluate(() => document.querySelector("canvas")!.width);
    await page.evaluate(() => (document.getElementById("here")!.style.width = "350px"));
    await pixels(page, BLUE);
    expect(await page.evaluate(() => document.querySelector("canvas")!.width)).toBe(width);
    await page.context().close();
  });

  it("has bounds and round marks for any values", async () => {
    const page = await shown();
    const found = await page.evaluate(() => {
      const { boundsOf, columnsOf, ticksOf } = (window as any).plot;
      const bytes = new Uint8Array(8 * 4 + 3);
      bytes.set(new Uint8Array(Float64Array.from([1, 2, 30, 40]).buffer), 3);
      return {
        columns: columnsOf(new DataView(bytes.buffer, 3), 1).map((column: Float64Array) => [...column]),
        none: [columnsOf(undefined, 2).length, boundsOf([]), boundsOf([Float64Array.of(NaN, Infinity, -Infinity)])],
        alone: boundsOf([Float64Array.of(50)]),
        ticks: [ticksOf([0.3, 9.7], 5), ticksOf([-0.02, 0.05], 4), ticksOf([-1.7e308, 1.7e308], 4).length < 20],
      };
    });
    expect(found).toEqual({
      columns: [[1, 2], [30, 40]],
      none: [3, [0, 1], [0, 1]],
      alone: [45, 55],
      ticks: [[2, 4, 6, 8], [-0.02, 0, 0.02, 0.04], true],
    });
    await page.context().close();
  });
});
