/** The desktop program of examples/electron, as far as it goes without Electron's binary. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isWebAddress, pageFiles } from "../../examples/electron/src/main/page-files.ts";
import { TokenFile } from "../../examples/electron/src/main/token-file.ts";
import { noReception, ReceptionScene } from "./harness/reception.ts";

describe.skipIf(noReception)("the desktop program around a page", () => {
  let scene: ReceptionScene;
  let page: Page;

  beforeAll(async () => {
    scene = await ReceptionScene.open();
    page = await scene.start();
  });
  afterAll(() => scene?.close());

  const names = (): Promise<string[]> => page.locator("li strong").allTextContents();

  it("waits for the browser, and gives up when it is told to", async () => {
    const { openUrl } = scene;
    scene.openUrl = () => undefined;
    await page.getByRole("button", { name: "Sign in with 127.0.0.1" }).click();
    await page.getByRole("heading", { name: "Go on in your browser" }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    scene.openUrl = () => Promise.reject(new Error("no display"));
    await page.getByRole("button", { name: "Sign in with 127.0.0.1" }).click();
    await page.getByText("the browser could not be opened: no display").waitFor();
    await scene.screenshot(page, "electron-sign-in");
    scene.openUrl = openUrl;
  });

  it("signs in with the browser, and shows the line", async () => {
    await page.getByRole("button", { name: "Sign in with 127.0.0.1" }).click();
    await page.getByText("Nobody waits.").waitFor();
    for (const [name, reason] of [["Ada Byron", "left knee, after surgery"], ["Grace Hopper", "gait analysis"], ["Mary Somerville", "right knee"]]) {
      await page.getByLabel("Name").fill(name!);
      await page.getByLabel("Reason").fill(reason!);
      await page.getByRole("button", { name: "Add" }).click();
      await page.getByText(name!).waitFor();
    }
    await page.locator("li", { hasText: "Mary" }).getByRole("button", { name: "To the front" }).click();
    await expect.poll(names).toEqual(["Mary Somerville", "Ada Byron", "Grace Hopper"]);
    await scene.screenshot(page, "electron-line");
  });

  it("is signed in at the next start, from what the file has kept", async () => {
    const kept = readFileSync(join(scene.folder, "tokens"));
    expect(kept.includes("refreshToken")).toBe(false);
    await page.context().close();
    page = await scene.start({ colorScheme: "dark", viewport: { width: 420, height: 760 } });
    await expect.poll(names).toEqual(["Mary Somerville", "Ada Byron", "Grace Hopper"]);
    await scene.screenshot(page, "electron-dark-narrow");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  });

  it("forgets the file on signing out", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expect.poll(() => new TokenFile(join(scene.folder, "tokens"), scene.cipher).load()).toBe(null);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("gives the page's files and no others, and opens nothing but web pages", async () => {
    const answer = pageFiles(join(scene.folder, "..", "nothing"), "wss://hub.example");
    for (const path of ["/", "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%00"]) {
      expect((await answer(new Request(`http://reception${path}`))).status).toBe(404);
    }
    expect(["https://a.example", "file:///etc/passwd", "javascript:alert(1)", "x"].map(isWebAddress)).toEqual([true, false, false, false]);
  });
});
