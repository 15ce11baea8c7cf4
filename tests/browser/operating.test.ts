/** What operators do on the dashboard of a busy hub, in a real browser: looking, running, copying, ending, deleting. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";
import { call, Dashboard, LOOKS } from "./harness/dashboard.ts";
import { Followers } from "./harness/followers.ts";
import { Hub, ROOT } from "./harness/hub.ts";
import { screenshot } from "./harness/screenshot.ts";

const run = promisify(execFile);
/** Milliseconds between two calls. */
const BREATH = 250;
const PAGES: readonly [path: string, text: RegExp][] = [
  ["data/patients", /^busy \d+$/],
  ["data/patients?view=schema", /missing index/],
  ["data/trials", /float64/],
  ["functions/operated:greet", /Greet somebody/],
  ["functions/operated:ward", /second floor|curl/],
  ["logs", /operated:named/],
  ["logs/functions", /operated:named/],
  ["live", /operated:named/],
  ["clients", /127\.0\.0\.1/],
  ["calls/failed", /no_bed/],
  ["health", /Limits/],
];

describe.skipIf(noBrowser)("the dashboard of a busy hub", () => {
  const hub = new Hub(join(ROOT, "tests", "apps", "operated.py"));
  let followers: Followers;
  let browser: Browser;
  let patient = "";
  let isOver = false;
  let working: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    await hub.start();
    browser = await openBrowser();
    patient = (await call(hub, "mutation", "operated:admit", { name: "ada", city: "Leeds" })) as string;
    await call(hub, "mutation", "operated:admit_many", { count: 400 });
    await call(hub, "mutation", "operated:measure", { patientId: patient });
    await call(hub, "mutation", "operated:bill", { patientId: patient, amount: 12.5 });
    await call(hub, "query", "operated:in_city", { city: "Leeds" });
    await call(hub, "mutation", "operated:admit_later", { name: "later" });
    await call(hub, "mutation", "operated:fail_soon");
    followers = await Followers.of(hub.port, "operated:named", [...Array(12).keys()].map((number) => [{ name: `busy ${number}` }]));
    working = work();
  });
  afterAll(async () => {
    isOver = true;
    await working;
    await followers?.close();
    await closeWindows();
    await hub.stop();
  });

  /** Keep the hub busy until the tests are over: every result that a page shows is old before it is read. */
  async function work(): Promise<void> {
    for (let number = 0; !isOver; number += 1) {
      await call(hub, "query", "operated:named", { name: "ada" });
      await call(hub, "mutation", "operated:admit", { name: `busy ${number % 12}`, city: "York" });
      await setTimeout(BREATH); // as fast as it can, it would be the test of a machine
    }
  }

  async function open(path: string, permissions: string[] = []): Promise<Page> {
    const dashboard = await Dashboard.open(browser, hub, { permissions });
    await dashboard.goTo(path);
    return dashboard.page;
  }

  describe.each(LOOKS)("in %s", (look, options) => {
    let dashboard: Dashboard;
    beforeAll(async () => {
      dashboard = await Dashboard.open(browser, hub, options);
    });
    afterAll(() => dashboard?.close());

    it.each(PAGES)("shows %s, without a fault", async (path, text) => {
      await dashboard.goTo(path);
      await dashboard.page.getByText(text).first().waitFor();
      await dashboard.isSound(`busy-${path.replace(/\W+/g, "-")}-${look}`);
    });

    it("shows what a live query has read and printed, and a document with its plot", async () => {
      await dashboard.goTo("live");
      await dashboard.page.locator(".rows .row.opens").first().click();
      await dashboard.page.getByText("looked for busy").waitFor();
      await dashboard.page.getByText(/patients by by_name: name =/).first().waitFor();
      await dashboard.isSound(`busy-live-query-${look}`);
      await dashboard.goTo("data/trials");
      await dashboard.page.getByRole("table", { name: "Documents of trials" }).waitFor();
      await dashboard.page.locator(".rows .row.opens .id").first().click(); // elsewhere in it there is a link
      await dashboard.page.getByRole("img", { name: /Plot of samples: -/ }).waitFor();
      await dashboard.isSound(`busy-plot-${look}`);
    });
  });

  it("paints an array: the line goes through all of the picture", async () => {
    const page = await open("data/trials");
    await page.locator(".rows .row.opens").first().click();
    const plot = page.getByRole("img", { name: /Plot of samples: -/ });
    await plot.waitFor();
    const painted = (): Promise<number[]> =>
      plot.evaluate((canvas: HTMLCanvasElement) => {
        const { data, width, height } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        const at = [...Array(width * height).keys()].filter((place) => data[4 * place + 3]! > 0);
        const rows = at.map((place) => Math.floor(place / width));
        const columns = at.map((place) => place % width);
        const span = (values: number[]): number => values.reduce((a, b) => Math.max(a, b), 0) - values.reduce((a, b) => Math.min(a, b), Infinity);
        return [span(columns) / width, span(rows) / height];
      });
    await expect.poll(async () => (await painted()).every((share) => share > 0.85)).toBe(true);
    await page.context().close();
  });

  it("runs an action, and says what it gives", async () => {
    const page = await open("functions/operated:greet");
    await page.getByLabel(/name/).first().fill("ada");
    await page.getByLabel(/loud/).check();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText('"HELLO ADA"').waitFor();
    await page.context().close();
  });

  it("runs a function as somebody, and watches a query live", async () => {
    const page = await open("functions/operated:named");
    await page.getByLabel(/name/).first().fill("watched");
    await page.getByLabel("Called by").selectOption("nobody");
    await page.getByRole("button", { name: "Watch" }).click();
    await page.getByText("[]").waitFor();
    await call(hub, "mutation", "operated:admit", { name: "watched" });
    await page.getByText('"watched"').waitFor();
    await page.context().close();
  });

  it("copies a call as programs for curl, Python and Node.js, which do the same", async () => {
    const page = await open("functions/operated:greet", ["clipboard-read", "clipboard-write"]);
    await page.getByLabel(/name/).first().fill("o'hara");
    const copied = async (language: string): Promise<string> => {
      await page.getByRole("button", { name: language, exact: true }).click();
      await page.getByText(`Copied for ${language}`).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    const curl = await copied("curl");
    const { stdout } = await run("sh", ["-c", curl]);
    expect((JSON.parse(stdout) as { result: string }).result).toBe("hello o'hara");
    const folder = mkdtempSync(join(ROOT, "server", "dashboard", "node_modules", ".copied-")); // where synovia-client is found
    const output = async (text: string, name: string, program: string, ...options: string[]): Promise<string> => {
      writeFileSync(join(folder, name), text);
      return (await run(program, [...options, join(folder, name)])).stdout.trim();
    };
    expect(await output(await copied("Python"), "copied.py", join(ROOT, ".venv", "bin", "python"))).toBe("hello o'hara");
    expect(await output(await copied("TypeScript"), "copied.mjs", process.execPath, "--experimental-websocket")).toBe("hello o'hara"); // Node.js 20 has none without
    rmSync(folder, { recursive: true });
    await page.goto(page.url().replace("greet", "ward"));
    await page.getByRole("button", { name: "Copy as curl" }).click();
    const ward = await page.evaluate(() => navigator.clipboard.readText());
    expect((await run("sh", ["-c", ward])).stdout).toBe("second floor");
    await page.context().close();
  });

  it("cancels a call to come, and runs a failed one again", async () => {
    const page = await open("calls");
    await page.getByRole("row", { name: /operated:admit/ }).click();
    await page.getByRole("button", { name: "Cancel it" }).click();
    await page.getByText("Nothing is planned").waitFor();
    await page.getByRole("button", { name: "Cancelled" }).click();
    await page.getByRole("row", { name: /operated:admit/ }).click();
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByText("Scheduled once more").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("row", { name: /operated:admit.*later/ }).waitFor();
    await page.getByRole("button", { name: "Failed" }).click();
    const failed = page.getByRole("row", { name: /no_bed/ });
    const before = await failed.count();
    await failed.first().click();
    await page.getByRole("button", { name: "Run again" }).click();
    await expect.poll(() => failed.count()).toBe(before + 1);
    await page.context().close();
  });

  it("ends a client, which comes back", async () => {
    const other = await Followers.of(hub.port, "operated:named", [[1, 2, 3, 4, 5, 6, 7].map((number) => ({ name: `ended ${number}` }))]);
    const page = await open("clients");
    const row = page.getByRole("row").filter({ has: page.getByRole("cell", { name: "7", exact: true }) });
    const name = await row.getByRole("cell").first().textContent();
    await row.getByRole("button").click();
    await page.getByRole("dialog").getByRole("button", { name: "End it" }).click();
    await expect.poll(() => page.getByText(name!, { exact: true }).count()).toBe(0);
    await row.waitFor();
    await other.close();
    await page.context().close();
  });

  it("says what an address names that is not there", async () => {
    const page = await open("data");
    for (const [path, text] of [["data/nothing", "No such table"], ["functions/nothing:at_all", "No such function"], ["calls/nothing", "No such list"], ["nothing", "No such page"]]) {
      await page.evaluate((hash) => (location.hash = hash), `/${path}`);
      await page.getByRole("alert").getByText(text!).waitFor();
    }
    await page.context().close();
  });

  it("says what deleting a document leads to, and does not do what is forbidden", async () => {
    const page = await open(`data/patients?id=${patient}`);
    await page.getByRole("button", { name: "Delete this document" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/1 of invoices forbid it by their patientId/).waitFor();
    await dialog.getByText(/1 of trials go along, by patientId/).waitFor();
    expect(await dialog.getByRole("button", { name: "Delete" }).isDisabled()).toBe(true);
    await screenshot(page, "dashboard-consequences");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.context().close();
  });

  it("shows a table that is always written, and reads on after it was sorted anew", async () => {
    const page = await open("data/patients");
    const name = page.getByRole("button", { name: /^name/ });
    await page.getByRole("cell", { name: /^busy/ }).first().waitFor();
    const shown = (): Promise<number> => page.locator("[role=table]").evaluate((table) => Number(table.getAttribute("aria-rowcount")));
    const readOn = async (): Promise<void> => {
      const before = await shown();
      await expect
        .poll(async () => {
          await page.locator(".rows").evaluate((box) => box.scrollTo(0, box.scrollHeight));
          return shown();
        })
        .toBeGreaterThan(before + 150);
    };
    await readOn();
    await name.click();
    await page.getByRole("cell", { name: "ada", exact: true }).waitFor();
    await readOn();
    await page.context().close();
  });

  it("shows the columns that are chosen, and keeps the choice", async () => {
    const page = await open("data/patients");
    const age = page.getByRole("columnheader", { name: "age" });
    await age.waitFor();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("checkbox", { name: "age" }).uncheck();
    await expect.poll(() => age.count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByRole("columnheader", { name: "city" }).waitFor();
    expect(await age.count()).toBe(0);
    await page.context().close();
  });

  it("asks nothing while it is in the background", async () => {
    const page = await open("logs");
    await page.getByRole("row", { name: /operated:named/ }).first().waitFor();
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    const other = await open("clients");
    const idle = other.getByRole("row").filter({ has: other.getByText("Synovia", { exact: true }) }).filter({ has: other.getByText("0", { exact: true }) });
    await idle.first().waitFor();
    expect(await page.getByRole("row", { name: /operated:named/ }).count()).toBeGreaterThan(0);
    await page.context().close();
    await other.context().close();
  });
});
