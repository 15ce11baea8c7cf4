/** Putting away and bringing back; and a page that is loaded anew in the middle of something. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser).sequential("a recording", () => {
  let scene: Scene;
  let anna: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.person("Anna Berg", "Physiotherapist");
    await anna.drop("walk.mot", motionFile(5));
    await anna.heading("walk").waitFor();
  });
  afterAll(() => scene?.close());

  it("goes to the archive with its reason, cannot be changed there, and comes back without it", async () => {
    await archive(anna, "the wrong knee");
    await anna.page.getByText("No recordings yet").waitFor();
    await anna.goTo("Archive");
    await anna.row("walk").getByText("the wrong knee").waitFor();
    await anna.row("walk").click();
    await anna.page.getByText("Archived because: the wrong knee").waitFor();
    expect(await anna.notes.count()).toBe(0);
    expect(await anna.page.getByLabel("Who was measured?").count()).toBe(0);
    expect(await anna.page.getByText("Share with a contact").count()).toBe(0);
    await anna.screenshot("archived-recording");
    await anna.button("Restore").click();
    await anna.page.getByText("The archive is empty").waitFor();
    await anna.goTo("Recordings");
    await anna.row("walk").click();
    await anna.notes.waitFor();
    expect(await anna.page.locator("body").textContent()).not.toContain("the wrong knee");
  });

  it("that was archived by mistake is brought back by the notice that says so", async () => {
    await archive(anna, "");
    await anna.page.getByText("No recordings yet").waitFor();
    await anna.button("Undo").click();
    await anna.row("walk").click();
    await anna.notes.waitFor();
  });

  it("is what it was after a reload, and a dialog that was open is gone", async () => {
    await anna.notes.fill("not left yet");
    await anna.button("Archive").click();
    await anna.page.getByRole("dialog").waitFor();
    await anna.page.reload();
    await anna.heading("not left yet").waitFor(); // leaving the field for the button has saved it
    expect(await anna.page.getByRole("dialog").count()).toBe(0);
  });

  it("whose file was on its way at a reload is there whole, or not at all", async () => {
    anna.wire.hold(); // so that it is on its way for as long as it takes to see it
    await anna.drop("long.mot", motionFile(600));
    await anna.page.getByRole("progressbar", { name: "Importing long.mot" }).waitFor();
    anna.wire.release();
    await anna.page.reload();
    await anna.row("not left yet").first().waitFor();
    await anna.drop("after.mot", motionFile(1));
    await anna.heading("after").waitFor();
    for (const title of (await anna.titles()).filter((one) => one === "long")) {
      await anna.row(title).click();
      await anna.page.getByRole("region", { name: "Details" }).getByText("60,000 a side").waitFor();
    }
    expect(anna.problems).toEqual([]);
  });
});

async function archive(desk: Desk, reason: string): Promise<void> {
  await desk.button("Archive").click();
  await desk.page.getByLabel("Reason (optional)").fill(reason);
  await desk.page.getByRole("dialog").getByRole("button", { name: "Archive", exact: true }).click();
}
