/** The dashboard in a real browser, on a busy hub: every page, and what operators do there. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";
import { call, Dashboard, LOOKS } from "./harness/dashboard.ts";
import { Hub, ROOT } from "./harness/hub.ts";

/** The address, and what is there once the hub has answered. */
const PAGES: readonly [path: string, text: RegExp][] = [
  ["data/steps", /documents/],
  ["data/steps?view=schema", /by_id/],
  ["functions/chained:begin", /Called by/],
  ["logs", /chained:begin/],
  ["live", /Nobody follows a query/],
  ["clients", /127\.0\.0\.1/],
  ["calls/crons", /_arrays:sweep/],
  ["calls/done", /chained:note/],
  ["health", /behind the database/],
];

async function begin(hub: Hub, name: string): Promise<void> {
  await call(hub, "mutation", "chained:begin", { name });
}

describe.skipIf(noBrowser)("the dashboard", () => {
  const hub = new Hub(join(ROOT, "tests", "apps", "chained.py"));
  let browser: Browser;
  beforeAll(async () => {
    await hub.start();
    browser = await openBrowser();
    for (let number = 0; number < 12; number += 1) await begin(hub, `step ${number}`);
  });
  afterAll(async () => {
    await closeWindows();
    await hub.stop();
  });

  describe.each(LOOKS)("in %s", (look, options) => {
    let dashboard: Dashboard;
    beforeAll(async () => {
      dashboard = await Dashboard.open(browser, hub, options);
    });
    afterAll(() => dashboard?.close());

    it.each(PAGES)("shows %s, without a fault", async (path, text) => {
      await dashboard.goTo(path);
      await dashboard.page.getByText(text).first().waitFor();
      const row = dashboard.page.locator(".rows .row.opens").first();
      if (await row.count()) {
        await row.click();
        await dashboard.page.locator(".panel").waitFor();
      }
      await dashboard.isSound(`${path.replace(/\W+/g, "-")}-${look}`);
    });
  });

  it("follows a request to the calls that it has scheduled", async () => {
    const { page, url } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/logs`);
    await begin(hub, "followed");
    await page.getByRole("row", { name: /chained:note/ }).first().click();
    const steps = page.locator(".request button");
    await expect.poll(() => steps.count()).toBe(4);
    await steps.first().click();
    await page.getByRole("region", { name: "Call of chained:begin" }).waitFor();
    await page.context().close();
  });

  it("is live: calls appear as they end, unless it is paused", async () => {
    const { page, url } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/logs`);
    const newest = (): Promise<string | null> => page.locator(".rows-inner .row").first().textContent();
    await page.getByRole("searchbox").fill("chained:begin");
    await page.getByRole("row", { name: /chained:begin/ }).first().waitFor();
    const before = await newest();
    await begin(hub, "seen");
    await expect.poll(newest).not.toBe(before);
    await page.getByRole("button", { name: "Pause" }).click();
    const held = await newest();
    await begin(hub, "not seen");
    await page.getByText("paused").waitFor();
    expect(await newest()).toBe(held);
    await page.getByRole("button", { name: "Go on" }).click();
    await expect.poll(newest).not.toBe(held);
    await page.context().close();
  });

  it("adds, changes and deletes documents, and says what does not fit", async () => {
    const { page, url } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/data/steps`);
    await page.getByRole("button", { name: "Add" }).click();
    const content = page.getByRole("textbox", { name: "Content" });
    await content.fill('{"name": 5}');
    await page.getByRole("region", { name: "New document" }).getByRole("button", { name: "Add" }).click();
    await page.getByRole("alert").getByText(/name/).waitFor();
    await content.fill('{"name": "made by hand"}');
    await page.getByRole("region", { name: "New document" }).getByRole("button", { name: "Add" }).click();
    await page.getByRole("cell", { name: "made by hand" }).waitFor();
    await page.getByText('"made by hand"').waitFor();
    await content.fill((await content.inputValue()).replace("made", "mended"));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("cell", { name: "mended by hand" }).waitFor();
    await page.getByRole("button", { name: "Delete this document" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => page.getByRole("cell", { name: "mended by hand" }).count()).toBe(0);
    await page.goto(`${url}#/data/_audit`);
    for (const action of ["operator.insert", "operator.update", "operator.delete"]) await page.getByRole("cell", { name: action }).first().waitFor();
    await page.context().close();
  });

  it("finds documents by text and by conditions", async () => {
    const { page, url } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/data/steps`);
    const cells = page.getByRole("cell", { name: /^step/ });
    await cells.first().waitFor();
    await page.getByRole("searchbox").fill("STEP 11");
    await expect.poll(async () => (await cells.allTextContents()).every((text) => text.startsWith("step 11"))).toBe(true);
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByLabel("Value").fill("step 3");
    await expect.poll(() => cells.allTextContents()).toEqual(["step 3"]);
    await page.context().close();
  });

  it("runs a function from its form", async () => {
    const { page, url, problems } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/functions/chained:begin`);
    await page.getByLabel(/name/).fill("run by hand");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText(/1 written|2 written/).waitFor();
    await page.goto(`${url}#/data/steps`);
    await page.getByRole("cell", { name: "run by hand", exact: true }).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("is gone through by keys", async () => {
    const { page, url } = await Dashboard.open(browser, hub);
    await page.goto(`${url}#/data/steps`);
    await page.getByRole("heading", { name: "steps" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.getByRole("heading", { name: "Logs" }).waitFor();
    await page.locator(".rows").focus();
    await page.keyboard.press("ArrowDown");
    await page.locator(".panel").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".panel").count()).toBe(0);
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
    await page.context().close();
  });
});

describe.skipIf(noBrowser)("the dashboard where people work", () => {
  const hub = new Hub(join(ROOT, "tests", "apps", "chained.py"), {}, 0, "serve");
  let browser: Browser;
  beforeAll(async () => {
    await hub.start();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await closeWindows();
    await hub.stop();
  });

  async function signIn(page: Page, key: string): Promise<void> {
    await page.getByLabel("Operator key").fill(key);
    await page.getByRole("button", { name: "Open" }).click();
  }

  it("asks for a key, and shows nothing without", async () => {
    const dashboard = await Dashboard.open(browser, hub, { bypassCSP: true });
    const { page } = dashboard;
    await dashboard.goTo("data/steps");
    await page.getByLabel("Operator key").waitFor();
    expect(await page.content()).not.toContain("steps");
    expect(await dashboard.faults()).toEqual([]);
    await signIn(page, "synovia-key-0000000000000000-nonsense");
    await page.getByRole("alert").waitFor();
    await signIn(page, await hub.key("billing", "service"));
    await page.getByText("this is for keys with the role").waitFor();
    await dashboard.close();
  });

  it("opens with an operator's key, keeps the session over a reload, and ends it", async () => {
    const dashboard = await Dashboard.open(browser, hub);
    const { page } = dashboard;
    await dashboard.goTo("data/steps");
    await signIn(page, await hub.key("ops", "operator"));
    await page.getByRole("heading", { name: "steps" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "steps" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator key").waitFor();
    await page.reload();
    await page.getByLabel("Operator key").waitFor();
    await dashboard.close();
  });

  it("only shows to a key that only looks", async () => {
    const dashboard = await Dashboard.open(browser, hub);
    const { page } = dashboard;
    await dashboard.goTo("functions/chained:begin");
    await signIn(page, await hub.key("viewer", "operator-read"));
    await page.getByText("read only").waitFor();
    expect(await page.getByRole("button", { name: "Run" }).isDisabled()).toBe(true);
    await dashboard.goTo("data/steps");
    await page.getByRole("heading", { name: "steps" }).waitFor();
    expect(await page.getByRole("button", { name: "Add" }).count()).toBe(0);
    await dashboard.close();
  });
});
