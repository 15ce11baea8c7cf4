/** The chat of examples/convex-chat: its hub, its page with the issuer beside it, and windows of people. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { closeWindows, openBrowser } from "./chromium.ts";
import { Hub, ROOT } from "./hub.ts";
import { screenshot } from "./screenshot.ts";

const EXAMPLE = join(ROOT, "examples", "convex-chat");
const FRONT = join(EXAMPLE, "front");
const BIN = join(FRONT, "node_modules", ".bin");
/** That the hub cannot be reached is what some tests are about. */
const UNREACHABLE = /net::ERR_|WebSocket connection/;
const run = promisify(execFile);

export class ChatScene {
  private constructor(
    readonly hub: Hub,
    readonly browser: Browser,
    readonly url: string,
    private readonly preview: ChildProcess,
  ) {}

  /** Build the page for a hub on a port of its own, and serve both. */
  static async open(): Promise<ChatScene> {
    const [hubPort, pagePort] = [await freePort(), await freePort()];
    await run("npm", ["run", "--silent", "build"], { cwd: FRONT, env: { ...process.env, VITE_CONVEX_URL: `http://127.0.0.1:${hubPort}` } });
    const url = `http://127.0.0.1:${pagePort}`;
    const issuers = JSON.stringify([{ issuer: `${url}/issuer`, audience: ["convex"] }]);
    const hub = new Hub(join(EXAMPLE, "chat"), { SYNOVIA_AUTH_ISSUERS: issuers }, hubPort);
    const preview = await served(pagePort);
    await hub.start();
    return new ChatScene(hub, await openBrowser(), url, preview);
  }

  /** Call a function over HTTP, as a program of somebody's does. */
  async call(kind: "query" | "mutation", path: string, args: object, name: string): Promise<unknown> {
    const { token } = (await (await fetch(`${this.url}/issuer/token?name=${name}`)).json()) as { token: string };
    const response = await fetch(`http://127.0.0.1:${this.hub.port}/api/${kind}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ path, args }),
    });
    const answer = (await response.json()) as { result: unknown };
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.result;
  }

  async window(name: string, options: BrowserContextOptions = {}): Promise<ChatWindow> {
    const context = await this.browser.newContext({ baseURL: this.url, viewport: { width: 1100, height: 720 }, reducedMotion: "reduce", ...options });
    const window = new ChatWindow(await context.newPage(), name);
    await window.page.goto("/");
    return window;
  }

  async close(): Promise<void> {
    await closeWindows();
    await this.hub.stop();
    const exit = once(this.preview, "exit");
    this.preview.kill();
    await exit;
  }
}

/** Somebody's window. */
export class ChatWindow {
  /** What went wrong in the page: uncaught errors, and what it wrote to the console as an error. */
  readonly problems: string[] = [];

  constructor(
    readonly page: Page,
    readonly name: string,
  ) {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !UNREACHABLE.test(message.text())) this.problems.push(message.text());
    });
  }

  async signIn(): Promise<void> {
    await this.page.getByLabel("Your name").fill(this.name);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.locator(".me", { hasText: this.name }).waitFor();
    await this.page.getByLabel("Message", { exact: true }).waitFor();
  }

  async write(body: string): Promise<void> {
    await this.page.getByLabel("Message", { exact: true }).fill(body);
    await this.page.getByRole("button", { name: "Send" }).click();
  }

  message(body: string): Locator {
    return this.page.locator(".message", { has: this.page.getByText(body, { exact: true }) });
  }

  /** What is shown, the newest first. */
  bodies(): Promise<string[]> {
    return this.page.locator(".message > p").allTextContents();
  }

  like(body: string): Locator {
    return this.message(body).getByRole("button", { name: "Like" });
  }

  screenshot(name: string): Promise<void> {
    return screenshot(this.page, name);
  }

  /** How many pixels the page is wider than the window. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }
}

async function served(port: number): Promise<ChildProcess> {
  const child = spawn(join(BIN, "vite"), ["preview", "--host", "127.0.0.1", "--port", String(port), "--strictPort"], {
    cwd: FRONT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout! })) if (line.includes(String(port))) break;
  child.stdout!.resume();
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
