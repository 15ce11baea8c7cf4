/** The browser: a Chromium of this machine. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

/** First the one without an interface of its own: it takes two thirds of the time. */
const NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const HOW = "apt-get install -y chromium-headless-shell, or chromium (or name one in SYNOVIA_TEST_CHROMIUM)";

const executable = process.env["SYNOVIA_TEST_CHROMIUM"] || onPath();

/** Why there can be no browser; undefined if there can. In continuous integration there has to be one. */
export const noBrowser = executable || process.env["CI"] === "true" ? undefined : `no Chromium is found: ${HOW}`;

if (noBrowser) console.warn(`the tests in the browser are skipped: ${noBrowser}`);

function onPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let shared: Promise<Browser> | undefined;

/** The browser that all files share: each opens windows with nothing of the others', and closes them. */
export async function openBrowser(): Promise<Browser> {
  if (!(await shared)?.isConnected()) shared = launch();
  return shared!;
}

/** Close every window of it. */
export async function closeWindows(): Promise<void> {
  await Promise.all(((await shared)?.contexts() ?? []).map((context) => context.close()));
}

/** Start another browser, with flags of its own. */
export function launch(...flags: string[]): Promise<Browser> {
  if (!executable) throw new Error(`no Chromium is found: ${HOW}`);
  return chromium.launch({ executablePath: executable, headless: true, args: [...FLAGS, ...flags] });
}
