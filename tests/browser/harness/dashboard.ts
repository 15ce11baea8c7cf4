/** The dashboard of a hub in somebody's window. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import type { Hub } from "./hub.ts";
import { screenshot } from "./screenshot.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The page's own policy keeps out what looks for faults; elsewhere it holds. */
export const LOOKS: readonly [string, BrowserContextOptions][] = [
  ["desktop", { viewport: { width: 1280, height: 800 }, bypassCSP: true }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, bypassCSP: true }],
];

interface Axe {
  axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
}

/** Somebody's window, and what went wrong in it. */
export class Dashboard {
  readonly problems: string[] = [];

  protected constructor(
    readonly page: Page,
    readonly url: string,
    private readonly look: BrowserContextOptions,
    private readonly name = "dashboard",
  ) {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/401/.test(message.text())) this.problems.push(message.text());
    });
  }

  static async open(browser: Browser, hub: Hub, options: BrowserContextOptions = {}): Promise<Dashboard> {
    const context = await browser.newContext({ reducedMotion: "reduce", ...options });
    return new Dashboard(await context.newPage(), `http://127.0.0.1:${hub.port}/_synovia/`, options);
  }

  /** Open a page anew, as from an address that somebody was sent. */
  async goTo(path: string): Promise<void> {
    const address = `${this.url}#/${path}`;
    if (!this.page.url().startsWith(this.url)) return void (await this.page.goto(address));
    // by way of an empty page, the browser would start a process for each
    await this.page.evaluate((address) => history.replaceState(null, "", address), address);
    await this.page.reload();
  }

  /** What is wrong by axe's rules, or by some of them. */
  async faults(rules: object = {}): Promise<string[]> {
    if (!(await this.page.evaluate(() => "axe" in window))) await this.page.evaluate(AXE);
    const options = { resultTypes: ["violations"], preload: false, ...rules };
    const { violations } = await this.page.evaluate((options) => (window as unknown as Axe).axe.run(options), options);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  }

  /** Expect that nothing is wrong with what is shown, on a desktop also in the dark; leave pictures of it if they are wanted. */
  async isSound(name: string): Promise<void> {
    await screenshot(this.page, `${this.name}-${name}`);
    expect(await this.faults()).toEqual([]);
    expect(await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    if (!this.look.isMobile) await this.#isSoundInTheDark(name);
    expect(this.problems).toEqual([]);
  }

  /** In the dark only colours differ. */
  async #isSoundInTheDark(name: string): Promise<void> {
    await this.page.emulateMedia({ colorScheme: "dark" });
    await screenshot(this.page, `${this.name}-${name}-dark`);
    expect(await this.faults({ runOnly: ["color-contrast"] })).toEqual([]);
    await this.page.emulateMedia({ colorScheme: "light" });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** Call a function of the application's, as its clients do over HTTP. */
export async function call(hub: Hub, kind: "query" | "mutation" | "action", path: string, args: Record<string, unknown> = {}, token?: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${hub.port}/api/${kind}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ path, args }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { result: unknown }).result;
}
