/** A physiotherapist and a patient side by side: what one does, the other's window follows without a reload. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { acquaint, Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser).sequential("two windows", () => {
  let scene: Scene;
  let anna: Desk;
  let paul: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    [anna, paul] = await scene.pair();
    await Promise.all([anna, paul].map(mark));
  });
  afterAll(() => scene?.close());
  afterEach(async () => {
    for (const desk of [anna, paul]) {
      expect(await desk.page.evaluate(() => "loadedOnce" in window)).toBe(true);
      expect(desk.problems).toEqual([]);
    }
  });

  it("an invitation that is accepted makes contacts of both, at once", async () => {
    await acquaint(anna, paul);
    await paul.goTo("Contacts");
    await paul.page.getByText("anna@example.org").waitFor();
  });

  it("a dropped file appears with its plot", async () => {
    await anna.goTo("Recordings");
    await anna.drop("walk.mot", motionFile(10));
    await anna.page.getByRole("region", { name: "Knee angles" }).waitFor();
    await expect.poll(() => anna.inked(), { timeout: 10_000 }).toBeGreaterThan(1_000);
    expect(await anna.titles()).toHaveLength(1);
    await anna.screenshot("dropped-file");
  });

  it("what is shared, renamed and archived is so in the other window", async () => {
    await anna.rename("Left knee, first try");
    await anna.row("Left knee, first try").waitFor();
    await paul.goTo("Shared with me");
    await paul.page.getByText("Nothing is shared with you").waitFor();
    await anna.page.getByText("Share with a contact").click();
    await anna.page.getByRole("button", { name: /Paul Lang/ }).first().click();
    await paul.row("Left knee, first try").click();
    await expect.poll(() => paul.inked(), { timeout: 10_000 }).toBeGreaterThan(1_000);
    await paul.screenshot("shared-with-the-patient");

    await anna.rename("Left knee, second try");
    await paul.row("Left knee, second try").waitFor();
    await paul.heading("Left knee, second try").waitFor();

    await anna.button("Archive").click();
    await anna.page.getByLabel("Reason (optional)").fill("the wrong knee");
    await anna.page.getByRole("dialog").getByRole("button", { name: "Archive", exact: true }).click();
    await paul.page.getByText("Nothing is shared with you").waitFor();

    await anna.goTo("Archive");
    await anna.row("Left knee, second try").click();
    await anna.button("Restore").click();
    await paul.row("Left knee, second try").waitFor();
    await anna.goTo("Recordings");
    await anna.row("Left knee, second try").click();
  });

  it("an optimistic rename is shown at once, and never flickers", async () => {
    const title = anna.page.locator("a.recording strong").first();
    const seen = await anna.observe(title);
    const shown = await paul.observe(paul.page.locator("a.recording strong").first());
    const names = ["Left knee, second try", "third", "fourth", "fifth", "sixth"];
    anna.wire.hold(); // no answer: only the page itself can show it
    for (const name of names.slice(1)) {
      if (name === "fifth") anna.wire.release();
      await anna.rename(name);
      await anna.row(name).waitFor();
      await anna.painted();
    }
    await paul.row(names.at(-1)!).waitFor();
    await paul.painted();
    expect(await seen()).toEqual(names);
    const followed = await shown();
    expect(followed).toEqual(names.filter((name) => followed.includes(name))); // may skip some, never goes back
  });

  it("a connection that is cut comes back, with what was changed meanwhile on both sides", async () => {
    anna.wire.cut();
    await anna.page.getByText("You are offline.").waitFor();
    await anna.screenshot("offline");
    await anna.rename("written while offline");
    await anna.row("written while offline").waitFor();
    expect(await paul.titles()).toEqual(["sixth"]);
    await anna.wake();
    await paul.row("written while offline").waitFor();
    await anna.page.getByText("You are offline.").waitFor({ state: "detached" });
    paul.wire.cut();
    await anna.rename("written while the other was away");
    await paul.page.getByText("You are offline.").waitFor();
    await paul.wake();
    await paul.row("written while the other was away").waitFor();
    expect(await anna.titles()).toEqual(await paul.titles());
  });

  it("a change that is not saved yet outlives its window", async () => {
    anna.wire.cut();
    await anna.rename("written just before closing");
    await anna.row("written just before closing").waitFor();
    await expect.poll(() => kept(anna)).toBe(1);
    await anna.reopen();
    await paul.row("written just before closing").waitFor();
    await anna.row("written just before closing").click();
    await anna.notes.waitFor();
    await expect.poll(() => kept(anna)).toBe(0);
    await mark(anna);
  });

  it("a hub that is killed and started again has lost nothing, and both windows converge", async () => {
    await scene.hub.kill();
    await Promise.all([anna, paul].map((desk) => desk.page.getByText("You are offline.").waitFor()));
    await anna.rename("written without a hub");
    await scene.hub.start();
    await Promise.all([anna, paul].map((desk) => desk.wake()));
    await Promise.all([anna, paul].map((desk) => desk.row("written without a hub").waitFor()));
    await anna.rename("and after");
    await paul.row("and after").waitFor();
    expect(await anna.titles()).toEqual(await paul.titles());
    expect(await anna.inked()).toBeGreaterThan(1_000);
  });
});

/** Leave a mark in the page, which a reload would forget. */
async function mark(desk: Desk): Promise<void> {
  await desk.page.evaluate(() => Object.assign(window, { loadedOnce: true }));
}

/** How many changes wait in the browser's own storage. */
function kept(desk: Desk): Promise<number> {
  return desk.page.evaluate(async () => {
    const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
    const counts = names.map((name) => new Promise<number>((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => {
        const stores = [...opening.result.objectStoreNames];
        if (!stores.length) return resolve(0);
        const counting = opening.result.transaction(stores).objectStore(stores[0]!).count();
        counting.onsuccess = () => (opening.result.close(), resolve(counting.result));
      };
    }));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  });
}
