/** Somebody's window with the Motion Desk: what a person sees and does there. */
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { screenshot } from "./screenshot.ts";
import type { Wire } from "./wire.ts";

export type Role = "Physiotherapist" | "Patient";

/** That the hub cannot be reached is what some tests are about. */
const UNREACHABLE = /net::ERR_|WebSocket connection/;

/** A window of a browser profile of its own. */
export class Desk {
  /** What went wrong in the page: uncaught errors, and what it wrote to the console as an error. */
  readonly problems: string[] = [];

  #page: Page;

  private constructor(
    page: Page,
    readonly wire: Wire,
    readonly email: string,
  ) {
    this.#page = this.#watched(page);
  }

  get page(): Page {
    return this.#page;
  }

  #watched(page: Page): Page {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !UNREACHABLE.test(message.text())) this.problems.push(message.text());
    });
    return page;
  }

  static async open(browser: Browser, wire: Wire, email: string, options: BrowserContextOptions = {}): Promise<Desk> {
    const context = await browser.newContext({ baseURL: wire.url, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
    const desk = new Desk(await context.newPage(), wire, email);
    await desk.page.goto("/");
    return desk;
  }

  /** Close the window, mend its wire, and open another window of the same browser, at the beginning. */
  async reopen(): Promise<void> {
    const next = this.#watched(await this.page.context().newPage());
    await this.page.close();
    this.#page = next;
    this.wire.mend();
    await next.goto("/");
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Mend the wire, if it is cut, and tell the page that there is a network, as a browser does: it tries again at once. */
  async wake(): Promise<void> {
    this.wire.mend();
    await this.page.evaluate(() => void dispatchEvent(new Event("online")));
  }

  /** Sign in by name, as a server for development lets everybody. */
  async signIn(): Promise<void> {
    await this.page.getByLabel("Sign in as").fill(this.email);
    await this.button("Sign in for development").click();
  }

  /** Make the account, on the first visit. */
  async register(role: Role, name: string): Promise<void> {
    await this.signIn();
    await this.page.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
    await this.page.getByLabel("Your name").fill(name);
    await this.button("Open the desk").click();
    await this.heading(role === "Patient" ? "Recordings of me" : "Recordings").waitFor();
  }

  async goTo(place: string): Promise<void> {
    await this.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: new RegExp(`^${place}`) }).first().click();
    await this.heading(place).waitFor();
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { level: 1, name, exact: true });
  }

  /** The row of a recording in the list that is open. */
  row(title: string): Locator {
    return this.page.locator("a.recording", { has: this.page.locator("strong", { hasText: title }) });
  }

  /** The titles of the recordings in the list that is open. */
  titles(): Promise<string[]> {
    return this.page.locator("a.recording strong").allTextContents();
  }

  get notes(): Locator {
    return this.page.getByRole("textbox", { name: "Notes" });
  }

  /** Write the notes of the recording that is open, whose first line is its title, and leave the field. */
  async rename(title: string): Promise<void> {
    await this.notes.fill(title);
    await this.notes.blur();
  }

  /** Drop a file on the window. */
  async drop(name: string, content: string): Promise<void> {
    const files = await this.page.evaluateHandle(([name, content]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content!], name!));
      return transfer;
    }, [name, content]);
    for (const event of ["dragenter", "dragover", "drop"]) await this.page.dispatchEvent("body", event, { dataTransfer: files });
  }

  /** How many pixels of the plot have the colour of the knee that has fewer of them: 0 as long as a curve is missing. */
  inked(): Promise<number> {
    return this.page.locator(".plot-card canvas").first().evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
      let [left, right] = [0, 0]; // red and blue; grid, axes and numbers are grey
      for (let at = 0; at < data.length; at += 4) {
        const contrast = data[at + 3]! > 128 ? data[at]! - data[at + 2]! : 0;
        if (contrast > 60) left += 1;
        else if (contrast < -60) right += 1;
      }
      return Math.min(left, right);
    });
  }

  /** Keep everything that a text is from now on, in every frame that is painted. Gives what ends it: the texts, in order. */
  async observe(locator: Locator): Promise<() => Promise<string[]>> {
    const seen = await locator.evaluateHandle((element) => {
      const texts = [element.textContent ?? ""];
      const look = (): void => {
        const text = element.isConnected ? (element.textContent ?? "") : "(gone)";
        if (text !== texts.at(-1)) texts.push(text);
        if (!stopped) requestAnimationFrame(look);
      };
      let stopped = false;
      look();
      return { texts, stop: () => (stopped = true) };
    });
    return () => seen.evaluate(({ texts, stop }) => (stop(), texts));
  }

  /** Wait until a frame has been painted, so that whoever looks at each frame has seen what is there now. */
  painted(): Promise<void> {
    return this.page.evaluate(
      () => new Promise<void>((painted) => requestAnimationFrame(() => requestAnimationFrame(() => painted()))),
    );
  }

  /** How many pixels the page is wider than the window. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }

  /** Show it as a system does that is dark, or light. */
  appear(colorScheme: "light" | "dark"): Promise<void> {
    return this.page.emulateMedia({ colorScheme });
  }

  /** Write a picture of the window, to be looked at. */
  screenshot(name: string): Promise<void> {
    return screenshot(this.page, name);
  }

  /** Write a picture of it in the dark and one in the light. */
  async screenshots(name: string): Promise<void> {
    for (const appearance of ["dark", "light"] as const) {
      await this.appear(appearance);
      await this.screenshot(`${name}-${appearance}`);
    }
  }
}
