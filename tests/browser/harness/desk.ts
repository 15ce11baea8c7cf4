/** Somebody's window with the Motion Desk: what a person sees and does there. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";

export type Role = "Physiotherapist" | "Patient";

const SCREENSHOTS = fileURLToPath(new URL("../screenshots", import.meta.url));

/** A window of a browser profile of its own. */
export class Desk {
  /** What went wrong in the page: uncaught errors, and what it wrote to the console as an error. */
  readonly problems: string[] = [];

  private constructor(
    readonly page: Page,
    readonly email: string,
  ) {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      // that the hub cannot be reached is what some tests are about
      if (message.type() === "error" && !/ERR_(CONNECTION|SOCKET|EMPTY_RESPONSE)|WebSocket connection/.test(message.text())) this.problems.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, email: string, options: BrowserContextOptions = {}): Promise<Desk> {
    const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
    const desk = new Desk(await context.newPage(), email);
    await desk.page.goto("/");
    return desk;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Sign in by name, as a server for development lets everybody. */
  async signIn(): Promise<void> {
    await this.page.getByLabel("Sign in as").fill(this.email);
    await this.page.getByRole("button", { name: "Sign in for development" }).click();
  }

  /** Make the account, on the first visit. */
  async register(role: Role, name: string): Promise<void> {
    await this.signIn();
    await this.page.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Open the desk" }).click();
    await this.heading("Recordings").or(this.heading("Recordings of me")).waitFor();
  }

  async goTo(place: string): Promise<void> {
    await this.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: place, exact: true }).click();
    await this.heading(place).waitFor();
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { level: 1, name, exact: true });
  }

  /** The row of a recording in the list that is open. */
  row(title: string): Locator {
    return this.page.locator("a.recording", { hasText: title });
  }

  /** Write a picture of the window, to be looked at. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
  }
}
