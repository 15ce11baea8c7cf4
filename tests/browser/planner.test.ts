/** The planner's page: two people of one organization plan together, live; another organization sees nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { LOOKS } from "./harness/dashboard.ts";
import { screenshot } from "./harness/screenshot.ts";
import { SmallScene, type SmallPage } from "./harness/small-page.ts";

describe.skipIf(noBrowser)("the planner's page", () => {
  let scene: SmallScene;
  let ada: SmallPage;
  let ben: SmallPage;
  beforeAll(async () => {
    scene = await SmallScene.open("planner");
    ada = await scene.window("ada@north.example", "org_north", { bypassCSP: true });
    ben = await scene.window("ben@north.example", "org_north", { bypassCSP: true });
  });
  afterAll(() => scene?.close());

  it("shows what one plans to the other at once, and what is changed, deleted and restored", async () => {
    const bar = (name: string) => ben.page.locator(".bar", { hasText: name });
    await bar("Office move").waitFor();
    await ada.button("New schedule").click();
    await ada.page.getByLabel("Title").fill("Paint the hall");
    await ada.button("Plan it").click();
    await bar("Paint the hall").waitFor();
    await bar("Paint the hall").click();
    await ben.page.getByRole("dialog").getByLabel("Status").selectOption("active");
    await ben.button("Save").click();
    await ada.page.locator(".bar.active", { hasText: "Paint the hall" }).click();
    await ada.button("Delete").click();
    await bar("Paint the hall").waitFor({ state: "detached" });
    await ben.button("Deleted").click();
    await ben.button("Restore").click();
    await ada.page.locator(".bar.active", { hasText: "Paint the hall" }).waitFor();
    await ada.button("Changes").click();
    await ada.page.getByText("draft → active").waitFor();
    expect(await ben.button("Changes").count(), "only admins see what was changed").toBe(0);
    expect([ada.problems, ben.problems]).toEqual([[], []]);
  });

  it("finds schedules by their words, live", async () => {
    await ben.button("Calendar").click();
    await ben.page.getByLabel("Search").fill("hiring eng");
    const found = ben.page.getByRole("region", { name: "Found" }).getByRole("listitem");
    await expect.poll(() => found.locator("strong").allTextContents()).toEqual(["Hiring: two engineers"]);
    await ben.page.getByLabel("Search").fill("halls");
    await expect.poll(() => found.locator("strong").allTextContents()).toEqual(["Paint the hall"]);
    await screenshot(ben.page, "planner-search");
    await ben.page.getByLabel("Search").fill("");
  });

  it("says what is wrong with a schedule", async () => {
    await ada.button("Calendar").click();
    await ada.button("New schedule").click();
    await ada.page.getByLabel("Title").fill("Backwards");
    await ada.page.getByLabel("Last day").evaluate((field: HTMLInputElement) => field.removeAttribute("min"));
    await ada.page.getByLabel("Last day").fill("2020-01-01");
    await ada.button("Plan it").click();
    await ada.page.getByRole("alert").getByText("A schedule ends after it begins.").waitFor();
    await ada.button("Close").click();
  });

  it.each(LOOKS)("looks well: %s", async (name, options) => {
    const sue = await scene.window("sue@south.example", "org_south", options);
    await sue.page.locator(".bar").first().waitFor();
    expect(await sue.page.locator(".bar", { hasText: "Paint the hall" }).count()).toBe(0);
    await sue.isSound(name);
    await sue.button("New schedule").click();
    await sue.isSound(`${name}-dialog`);
    await sue.close();
  });
});
