/** The desktop program of examples/electron without Electron: its main process's own code here, its page in Chromium. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { TokenSet } from "synovia-client";
import { pageFiles } from "../../../examples/electron/src/main/page-files.ts";
import { SignIn } from "../../../examples/electron/src/main/sign-in.ts";
import { TokenFile, type Cipher } from "../../../examples/electron/src/main/token-file.ts";
import { closeWindows, noBrowser, openBrowser } from "./chromium.ts";
import { PYTHON } from "../../helpers/forked-python.mts";
import { Hub, ROOT } from "./hub.ts";
import { screenshot } from "./screenshot.ts";

const EXAMPLE = join(ROOT, "examples", "electron");
const run = promisify(execFile);

const installed = existsSync(join(EXAMPLE, "node_modules")) || process.env["CI"] === "true";
/** Why there can be no program; undefined if there can. */
export const noReception = noBrowser ?? (installed ? undefined : "examples/electron has no node_modules: npm ci there");

if (!installed) console.warn(noReception);

/** A cipher of this machine in the place of the system's, which needs Electron and somebody who is logged in. */
class OwnCipher implements Cipher {
  readonly #key = randomBytes(32);

  isEncryptionAvailable(): boolean {
    return true;
  }

  encryptString(text: string): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  decryptString(sealed: Buffer): string {
    const cipher = createDecipheriv("aes-256-gcm", this.#key, sealed.subarray(0, 12));
    cipher.setAuthTag(sealed.subarray(12, 28));
    return cipher.update(sealed.subarray(28), undefined, "utf8") + cipher.final("utf8");
  }
}

export class ReceptionScene {
  readonly cipher: Cipher = new OwnCipher();
  readonly folder = mkdtempSync(join(tmpdir(), "reception-"));
  /** Goes where an address leads, as the system's browser does. */
  openUrl: (url: string) => unknown = async (url) => void (await fetch(url));

  private constructor(
    readonly hub: Hub,
    readonly browser: Browser,
    readonly url: string,
    readonly issuer: string,
    private readonly issuerProcess: ChildProcess,
    private readonly files: Server,
  ) {}

  static async open(): Promise<ReceptionScene> {
    await run("npm", ["run", "--silent", "build"], { cwd: EXAMPLE });
    const [issuer, issuerProcess] = await startIssuer();
    const files = createServer().listen(0, "127.0.0.1");
    await once(files, "listening");
    const url = `http://127.0.0.1:${(files.address() as { port: number }).port}`;
    const hub = new Hub(join(ROOT, "examples", "reception", "reception.py"), {
      SYNOVIA_AUTH_ISSUERS: JSON.stringify([{ issuer, audience: ["the-page", "the-program"] }]),
      SYNOVIA_ORIGINS: `${url},app://reception`,
    });
    await hub.start();
    const answer = pageFiles(join(EXAMPLE, "dist", "page"), `ws://127.0.0.1:${hub.port}`);
    files.on("request", async (request, response) => {
      const found = await answer(new Request(url + request.url));
      response.writeHead(found.status, Object.fromEntries(found.headers)).end(Buffer.from(await found.arrayBuffer()));
    });
    return new ReceptionScene(hub, await openBrowser(), url, issuer, issuerProcess, files);
  }

  /** Start the program: its tokens from the file, and a window. */
  async start(options: BrowserContextOptions = {}): Promise<Page> {
    const hub = `ws://127.0.0.1:${this.hub.port}`;
    const signIn = new SignIn(hub, (url) => this.openUrl(url));
    const tokens = new TokenFile(join(this.folder, "tokens"), this.cipher);
    const page = await (await this.browser.newContext({ viewport: { width: 960, height: 680 }, ...options })).newPage();
    await page.exposeFunction("ways", () => signIn.ways());
    await page.exposeFunction("signIn", (issuer: string) => signIn.with(issuer));
    await page.exposeFunction("cancelSignIn", () => signIn.cancel());
    await page.exposeFunction("saveTokens", (given: TokenSet | null) => tokens.save(given));
    await page.addInitScript(
      ([hub, held]) => {
        const { ways, signIn, cancelSignIn, saveTokens } = window as unknown as Record<string, (argument?: unknown) => Promise<never>>;
        const load = (): unknown => held;
        const save = (given: unknown): void => void saveTokens!((held = given as typeof held));
        Object.assign(window, { desktop: { hub, tokens: { load, save }, ways, signIn, cancelSignIn } });
      },
      [hub, tokens.load()] as const,
    );
    await page.goto(`${this.url}/`);
    return page;
  }

  screenshot(page: Page, name: string): Promise<void> {
    return screenshot(page, name);
  }

  async close(): Promise<void> {
    await closeWindows();
    await this.hub.stop();
    const exit = once(this.issuerProcess, "exit");
    this.issuerProcess.stdin!.end();
    await exit;
    this.files.close();
    rmSync(this.folder, { recursive: true });
  }
}

async function startIssuer(): Promise<[string, ChildProcess]> {
  const child = spawn(PYTHON, ["-m", "helpers.issuer_program"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONPATH: join(ROOT, "tests") },
  });
  const [url] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  return [url, child];
}
