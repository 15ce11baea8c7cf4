/** The page of learning: reports that move while people enrol, a list with filters and pages, the matrix of capabilities. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { LOOKS } from "./harness/dashboard.ts";
import { SmallScene, type SmallPage } from "./harness/small-page.ts";

describe.skipIf(noBrowser)("the page of learning", () => {
  let scene: SmallScene;
  let ada: SmallPage;
  let mia: SmallPage;
  beforeAll(async () => {
    scene = await SmallScene.open("learning");
    ada = await scene.window("ada@north.example", "north");
    mia = await scene.window("member1@north.example", "north");
  });
  afterAll(() => scene?.close());

  const enrolments = (course: string) => ada.page.getByRole("region", { name: "Enrolments", exact: true }).getByRole("listitem").filter({ hasText: course }).locator(".numbers span").allTextContents();

  it("shows who enrols at once, in the report and in the list", async () => {
    await expect.poll(() => enrolments("Watercolours")).toEqual(["10", "5", "5"]);
    await mia.page.getByRole("listitem").filter({ hasText: "Watercolours" }).getByRole("button", { name: "Enrol" }).click();
    await expect.poll(() => enrolments("Watercolours")).toEqual(["11", "5", "5"]);
    const list = ada.page.getByRole("region", { name: "Enrolments one by one" });
    await list.getByRole("listitem").first().getByText("Member 1", { exact: true }).waitFor();
    await list.getByLabel("Status of Member 1 in Watercolours").selectOption("completed");
    await expect.poll(() => enrolments("Watercolours")).toEqual(["10", "6", "5"]);
    await mia.page.getByRole("listitem").filter({ hasText: "Watercolours" }).getByRole("button", { name: "Enrol" }).click();
    await mia.page.getByRole("alert").getByText(/same memberId, courseId/).waitFor();
    expect([ada.problems, mia.problems]).toEqual([[], []]);
  });

  it("filters, sorts and pages the list", async () => {
    const list = ada.page.getByRole("region", { name: "Enrolments one by one" });
    const rows = list.getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(26); // a page of 25 that has grown by the new one
    await list.getByRole("button", { name: "More" }).click();
    await expect.poll(() => rows.count()).toBe(51);
    await list.getByLabel("Member").first().fill("member 12");
    await list.getByRole("button", { name: "Member 12" }).click();
    await expect.poll(() => rows.locator("strong").allTextContents()).toContain("Member 12");
    await expect.poll(async () => new Set(await rows.locator("strong").allTextContents()).size).toBe(1);
    await list.getByLabel("Member").first().fill("");
    await list.getByLabel("Course").selectOption({ label: "First aid" });
    await list.getByLabel("Status").first().selectOption("dropped");
    await list.getByLabel("Order").selectOption("made asc");
    await expect.poll(() => rows.locator(".badge").allTextContents()).toEqual(["Dropped", "Dropped", "Dropped"]);
  });

  it.each(LOOKS)("looks well: %s", async (name, options) => {
    const admin = await scene.window("ada@south.example", "south", options);
    await admin.page.getByRole("region", { name: "Who may do what" }).getByText("members.manage").waitFor();
    await admin.page.getByText("South Academy").waitFor();
    expect(await admin.page.getByText("Member 9").count(), "of another tenant").toBe(0);
    await admin.isSound(name);
    await admin.close();
  });
});
