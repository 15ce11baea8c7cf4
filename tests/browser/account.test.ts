/** Leaving: what stays on screen and in the browser when somebody signs out, or deletes the account. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { acquaint, Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser).sequential("an account", () => {
  let scene: Scene;
  let anna: Desk;
  let paul: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    [anna, paul] = await scene.pair();
    await acquaint(anna, paul);
    await anna.goTo("Recordings");
    await anna.drop("walk.mot", motionFile(5));
    await anna.heading("walk").waitFor();
    await anna.page.getByText("Share with a contact").click();
    await anna.page.getByRole("button", { name: /Paul Lang/ }).first().click();
  });
  afterAll(() => scene?.close());

  it("keeps the appearance that was chosen, over a reload and in what is painted", async () => {
    const ground = (): Promise<string> => anna.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await ground();
    await choose(anna, "Dark appearance");
    await expect.poll(ground, { timeout: 5_000 }).not.toBe(before);
    const dark = await ground();
    await anna.screenshot("appearance-chosen");
    await anna.page.reload();
    await anna.heading("walk").waitFor();
    expect(await ground()).toBe(dark);
    await choose(anna, "Appearance of the system");
    await expect.poll(ground).toBe(before);
  });

  it("that is signed out leaves nothing on screen or in the browser, also not behind the back button", async () => {
    await anna.rename("a secret title");
    await anna.row("a secret title").waitFor();
    const { context, address } = { context: anna.page.context(), address: anna.page.url() };
    const second = await context.newPage();
    await second.goto(address);
    await second.getByRole("heading", { level: 1, name: "a secret title" }).waitFor();
    await choose(anna, "Sign out");
    await anna.heading("Sign in").waitFor();
    await second.getByRole("heading", { level: 1, name: "Sign in" }).waitFor(); // every window of the browser
    await second.close();
    for (const leave of [async () => undefined, () => anna.page.goBack(), () => anna.page.reload()]) {
      await leave();
      await anna.heading("Sign in").waitFor();
      expect(await anna.page.locator("body").textContent()).not.toMatch(/secret|Anna Berg/);
    }
    expect(await remains(anna)).not.toMatch(/secret|anna|dev:/i);
  });

  it("shows the next one nothing of the one before", async () => {
    await anna.page.getByLabel("Sign in as").fill("eva@example.org");
    await anna.button("Sign in for development").click();
    await anna.heading("Welcome").waitFor();
    await anna.page.getByRole("radio", { name: /^Physiotherapist/ }).check();
    await anna.page.getByLabel("Your name").fill("Eva Neu");
    await anna.button("Open the desk").click();
    await anna.page.getByText("No recordings yet").waitFor();
    expect(await anna.page.locator("body").textContent()).not.toMatch(/secret|Anna Berg/);
    await choose(anna, "Sign out");
    await anna.heading("Sign in").waitFor();
    await anna.signIn();
    await anna.row("a secret title").waitFor();
  });

  it("is deleted once its address has been typed, and with it what others saw", async () => {
    await paul.goTo("Shared with me");
    await paul.row("a secret title").waitFor();
    await choose(anna, "Delete account");
    const dialog = anna.page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("paul@example.org");
    await dialog.getByRole("button", { name: "Delete my account" }).click();
    await dialog.getByRole("alert").getByText("This is not anna@example.org.").waitFor();
    await anna.screenshot("deleting-an-account");
    await paul.row("a secret title").waitFor();
    await dialog.getByRole("textbox").fill(" Anna@Example.org ");
    await dialog.getByRole("button", { name: "Delete my account" }).click();
    await anna.heading("Sign in").waitFor();
    await anna.page.getByText("Your account has been deleted.").waitFor();
    await paul.page.getByText("Nothing is shared with you").waitFor();
    await paul.goTo("Contacts");
    await paul.page.getByText("No contacts yet").waitFor();
    await anna.signIn();
    await anna.heading("Welcome").waitFor();
    for (const desk of [anna, paul]) expect(desk.problems).toEqual([]);
  });
});

async function choose(desk: Desk, item: string): Promise<void> {
  await desk.page.locator("button.account").click();
  await desk.page.getByRole("menuitem", { name: item }).click();
}

/** All that the browser keeps for the page, as one text. */
function remains(desk: Desk): Promise<string> {
  return desk.page.evaluate(async () => {
    const kept: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie, await caches.keys()];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open(name!);
        opening.onsuccess = () => resolve(opening.result);
      });
      for (const store of database.objectStoreNames) {
        const reading = database.transaction(store).objectStore(store).getAll();
        kept.push(store, await new Promise((resolve) => (reading.onsuccess = () => resolve(reading.result))));
      }
      database.close();
    }
    return JSON.stringify(kept);
  });
}
