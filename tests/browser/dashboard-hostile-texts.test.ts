/** Texts of people who mean ill, wherever the dashboard shows them to an operator: nothing of them runs, leads away or asks anybody. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";
import { Dashboard } from "./harness/dashboard.ts";
import { Followers } from "./harness/followers.ts";
import { Hub, ROOT } from "./harness/hub.ts";

const TEXTS = [
  "</title></script><script>window.hostile=1</script>",
  `"'><img src=http://127.0.0.2/x onerror="window.hostile=1"><svg/onload=window.hostile=1>`,
  "javascript:window.hostile=1",
  `<iframe srcdoc="<script>parent.hostile=1</script>"></iframe><base href="//127.0.0.2"><style>*{display:none}</style><form action=//127.0.0.2><input name=key>`,
  "{{constructor.constructor('window.hostile=1')()}} ${window.hostile=1}",
  "[link](javascript:window.hostile=1) #/data/x?id=<b> http://127.0.0.2/",
  "\u202Egnp.enk\u202E \u2067not closed",
];

describe.skipIf(noBrowser)("hostile texts on the dashboard", () => {
  const hub = new Hub(join(ROOT, "tests", "apps", "loud.py"));
  let followers: Followers;
  let browser: Browser;
  let page: Page;
  let dashboard: Dashboard;
  const elsewhere: string[] = [];

  beforeAll(async () => {
    await hub.start();
    browser = await openBrowser();
    for (const text of TEXTS) {
      await send("loud:put", { text, more: { [text.replaceAll("$", "")]: [text], href: text } });
      await send("loud:fail", { text });
      await send("loud:crash", { text });
      await send(`loud:${text}`, {});
    }
    followers = await Followers.of(hub.port, "loud:of", [TEXTS.map((text) => ({ text }))]);
    dashboard = await Dashboard.open(browser, hub);
    page = dashboard.page;
    page.on("request", (request) => {
      if (!new URL(request.url()).host.startsWith(`127.0.0.1:${hub.port}`) && !/^(data|blob):/.test(request.url())) elsewhere.push(request.url());
    });
  });
  afterAll(async () => {
    await followers?.close();
    await closeWindows();
    await hub.stop();
  });

  it.each(["data/texts", "data/texts?view=schema", "functions/loud:put", "logs", "live", "clients", "calls/done", "health", `data/${encodeURIComponent(TEXTS[0]!)}`, `functions/${encodeURIComponent(TEXTS[1]!)}`])("at %s", async (path) => {
    await dashboard.goTo(path);
    await page.locator("main").first().waitFor();
    await harmless();
    const rows = page.locator(".rows .row.opens");
    if (/^(data\/texts$|logs|live|clients)/.test(path)) await rows.first().waitFor();
    for (let number = 0; number < Math.min(await rows.count(), 3 * TEXTS.length); number += 1) {
      await rows.nth(number).click({ position: { x: 4, y: 4 } });
      await page.locator(".panel").waitFor();
      await harmless();
      await page.keyboard.press("Escape");
    }
  });

  async function send(path: string, args: object): Promise<void> {
    await fetch(`http://127.0.0.1:${hub.port}/api/mutation`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ path, args }) });
  }

  async function harmless(): Promise<void> {
    const found = await page.evaluate(() => [
      "hostile" in window,
      document.baseURI.startsWith(location.origin),
      document.querySelectorAll("iframe, form[action], style:not([nonce]), img[src^='http://127.0.0.2'], body base, body script, a[href^='javascript:'], a[href*='127.0.0.2']").length,
    ]);
    expect(found).toEqual([false, true, 0]);
    expect(elsewhere).toEqual([]);
    expect(dashboard.problems).toEqual([]);
  }
});
