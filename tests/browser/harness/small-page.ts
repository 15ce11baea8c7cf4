/** The page of one of the small applications, in somebody's window. */
import type { Browser, BrowserContextOptions, Locator } from "playwright-core";
import { closeWindows, openBrowser } from "./chromium.ts";
import { Dashboard } from "./dashboard.ts";
import { Hub, ROOT } from "./hub.ts";

/** A hub with an application, its seeds, and a browser. */
export class SmallScene {
  private constructor(
    readonly hub: Hub,
    readonly browser: Browser,
    private readonly name: string,
  ) {}

  static async open(name: string, environment: Record<string, string> = {}): Promise<SmallScene> {
    const hub = new Hub(`${ROOT}/apps/${name}`, environment);
    await hub.plant();
    await hub.start();
    return new SmallScene(hub, await openBrowser(), name);
  }

  /** Open a window of somebody of an organization. */
  async window(email: string, organization: string | null, options: BrowserContextOptions = {}): Promise<SmallPage> {
    const page = await SmallPage.of(this.browser, this.hub, this.name, options);
    await page.page.goto(`http://127.0.0.1:${this.hub.port}/`);
    await page.page.getByLabel("E-mail address").fill(email);
    if (organization !== null) await page.page.getByLabel("Organization").fill(organization);
    await page.button("Sign in").click();
    await page.button("Sign out").waitFor();
    return page;
  }

  async close(): Promise<void> {
    await closeWindows();
    await this.hub.stop();
  }
}

export class SmallPage extends Dashboard {
  static async of(browser: Browser, hub: Hub, name: string, options: BrowserContextOptions): Promise<SmallPage> {
    const context = await browser.newContext({ reducedMotion: "reduce", ...options });
    return new SmallPage(await context.newPage(), `http://127.0.0.1:${hub.port}/`, options, name);
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }
}
