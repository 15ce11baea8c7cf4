/** One document in two windows, in each editor that people use: both type at once, nothing is scrambled, the carets stay. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { synovia } from "../../examples/electron/synovia.config.ts";
import { closeWindows, noBrowser, openBrowser } from "./harness/chromium.ts";
import { Hub, ROOT } from "./harness/hub.ts";
import { screenshot } from "./harness/screenshot.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Build the page; give its files by their names. */
async function bundled(): Promise<Map<string, string>> {
  const output = await build({
    configFile: false,
    logLevel: "warn",
    define: { "process.env.NODE_ENV": '"production"' },
    resolve: { alias: synovia, dedupe: ["yjs", "y-protocols"] },
    build: { write: false, minify: false, target: "es2022", lib: { entry: here("shared-docs/page.ts"), formats: ["es"], fileName: "together" } },
  });
  const files = [output].flat().flatMap((each) => ("output" in each ? each.output : []));
  return new Map(files.flatMap((each) => (each.type === "chunk" ? [[each.fileName, each.code] as const] : [])));
}

/** An editor: where it is, and what it shows. */
interface Kind {
  readonly name: string;
  readonly selector: string;
  readonly shown: (page: Page) => Promise<string>;
}

const inner = (selector: string) => (page: Page) =>
  page.locator(selector).evaluate((node) => {
    const copy = node.cloneNode(true) as HTMLElement;
    for (const caret of copy.querySelectorAll(".ProseMirror-yjs-cursor, .collaboration-carets__caret, .cm-ySelectionInfo, .cm-ySelectionCaret")) caret.remove();
    return copy.textContent!.replaceAll(/[\u2060\u200b\ufeff]/g, "");
  });

const KINDS: Kind[] = [
  { name: "a text field", selector: "#text", shown: (page) => page.locator("#text").inputValue() },
  { name: "CodeMirror", selector: "#code .cm-content", shown: inner("#code .cm-content") },
  { name: "ProseMirror", selector: "#prose .ProseMirror", shown: inner("#prose .ProseMirror") },
  { name: "Tiptap", selector: "#tiptap .ProseMirror", shown: inner("#tiptap .ProseMirror") },
];

describe.skipIf(noBrowser).sequential("shared documents", () => {
  let hub: Hub;
  let browser: Browser;
  let files: Map<string, string>;
  let ann: Page;
  let bob: Page;
  let id: string;
  const problems: string[] = [];

  beforeAll(async () => {
    hub = new Hub(`${ROOT}/tests/apps/together.py`);
    [browser, files] = await Promise.all([openBrowser(), bundled(), hub.start()]);
    id = await call("ann", "add", { title: "a plan", writers: ["bob"] });
    [ann, bob] = [await open("ann"), await open("bob")];
  });
  afterAll(async () => {
    await closeWindows();
    await hub?.stop();
  });

  async function call(name: string, mutation: string, args: object): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${hub.port}/api/mutation`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer dev:${name}@example.org` },
      body: JSON.stringify({ path: `together:${mutation}`, args }),
    });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { result: string }).result;
  }

  async function open(name: string): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 760, height: 640 }, permissions: ["local-network-access"] })).newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.route("**/together?*", (route) => route.fulfill({ contentType: "text/html", body: readFileSync(here("shared-docs/page.html"), "utf8") }));
    for (const [file, body] of files) await page.route(`**/${file}`, (route) => route.fulfill({ contentType: "text/javascript", body }));
    await page.goto(`http://127.0.0.1:${hub.port}/together?name=${name}&id=${id}`);
    await page.locator("#status", { hasText: "saved" }).waitFor();
    return page;
  }

  const agree = async ({ shown }: Kind, expected: string): Promise<void> => {
    await expect.poll(() => shown(ann)).toBe(expected);
    await expect.poll(() => shown(bob)).toBe(expected);
  };

  it.each(KINDS)("$name: two who type at once get what each has typed, and each caret stays", async (kind) => {
    await ann.locator(kind.selector).click();
    await ann.keyboard.type("The end.");
    await agree(kind, "The end.");
    await bob.locator(kind.selector).click();
    await bob.keyboard.press("Control+End");
    await ann.keyboard.press("Control+Home");
    const first = "Ada reads a page aloud every morning. ";
    const second = " Bob has heard her, twice, and says so.";
    await Promise.all([ann.keyboard.type(first, { delay: 8 }), bob.keyboard.type(second, { delay: 11 })]);
    await agree(kind, `${first}The end.${second}`);
    // each goes on where the caret is: what the other has typed before or behind has not moved it in the text
    await Promise.all([ann.keyboard.type("(Ann) ", { delay: 8 }), bob.keyboard.type(" (Bob)", { delay: 11 })]);
    const both = `${first}(Ann) The end.${second} (Bob)`;
    await agree(kind, both);
    await bob.keyboard.press("Control+z");
    await expect.poll(() => kind.shown(ann)).not.toBe(both);
    expect(await kind.shown(ann), "undo takes back nothing of the other's").toContain(`${first}(Ann) The end.`);
  });

  it("shows the others' carets under the names that the server gives them", async () => {
    await bob.locator(KINDS[3]!.selector).click();
    await ann.locator(KINDS[3]!.selector).click();
    await ann.locator("#tiptap .collaboration-carets__label", { hasText: "Bob" }).waitFor();
    await bob.locator("#tiptap .collaboration-carets__label", { hasText: "Ann" }).waitFor();
    await screenshot(ann, "shared-docs", { fullPage: true });
    await bob.close();
    await expect.poll(() => ann.locator("#tiptap .collaboration-carets__label").count()).toBe(0);
  });

  it("letters that an input method puts together are merged with what others type meanwhile", async () => {
    bob = await open("bob");
    const [field, theirs] = [ann.locator("#text"), bob.locator("#text")];
    await field.fill("");
    await theirs.click();
    await expect.poll(() => theirs.inputValue()).toBe("");
    await field.click();
    const session = await ann.context().newCDPSession(ann);
    await session.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    await bob.keyboard.type("before ");
    await expect.poll(() => bob.locator("#status").textContent()).toBe("saved");
    await session.send("Input.insertText", { text: "日本" });
    await expect.poll(() => field.inputValue()).toMatch(/^(日本before |before 日本)$/);
    await expect.poll(() => theirs.inputValue()).toBe(await field.inputValue());
  });

  it("who loses the right sees that at once, and nothing of them arrives any more", async () => {
    await call("ann", "share", { id, readers: [], writers: ["ann"] });
    await bob.locator("#status", { hasText: "not_found" }).waitFor();
    const before = await ann.locator("#text").inputValue();
    await bob.locator("#text").click();
    await bob.keyboard.type("too late");
    await ann.locator("#text").press("End");
    await ann.keyboard.type("!");
    await expect.poll(() => ann.locator("#text").inputValue()).toBe(`${before}!`);
    expect(problems).toEqual([]);
  });
});
