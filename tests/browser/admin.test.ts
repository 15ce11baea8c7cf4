/** What an admin does, and what others see of it at once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { Hub } from "./harness/hub.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

const ADMIN = "admin@example.org";

describe.skipIf(noBrowser)("an admin", () => {
  let scene: Scene;
  let admin: Desk;
  let anna: Desk;

  beforeAll(async () => {
    const hub = new Hub();
    await hub.appoint(ADMIN);
    scene = await Scene.open(hub);
    anna = await scene.person("Anna Berg", "Physiotherapist");
    await anna.drop("walk.csv", csvOf(motionFile(5)));
    await anna.heading("walk").waitFor();
    admin = await scene.window(ADMIN);
    await admin.signIn();
    await admin.heading("Users").waitFor();
  });
  afterAll(() => scene?.close());

  it("looks at the desk as somebody else, changes nothing, and it is in the audit log", async () => {
    await openMenuOf(admin, "Anna Berg", "Look as this user");
    await admin.page.getByLabel("Reason").fill("Anna cannot find her recording");
    await admin.button("Look as this user").click();
    await admin.page.getByText("You are looking at the desk as").waitFor();
    await admin.row("walk").click();
    await admin.heading("walk").waitFor();
    await admin.screenshot("looking-as-somebody");
    await admin.rename("not to be");
    await admin.page.getByRole("region", { name: "Notices" }).getByRole("alert").waitFor();
    await admin.row("walk").waitFor();
    expect(await anna.titles()).toEqual(["walk"]);
    await admin.button("Stop looking").click();
    await admin.goTo("Audit log");
    await admin.page.getByText("Anna cannot find her recording").waitFor();
    await admin.screenshot("audit-log");
  });

  it("archives an account: its window says so and shows nothing any more", async () => {
    await admin.goTo("Users");
    await openMenuOf(admin, "Anna Berg", "Archive");
    await admin.page.getByRole("dialog").getByRole("textbox").fill("left the clinic");
    await admin.page.getByRole("dialog").locator("button[type=submit]").click();
    await anna.page.getByText("This account has been archived.").waitFor();
    expect(await anna.page.locator("body").textContent()).not.toContain("walk");
    await anna.screenshot("archived-account");
    await admin.page.getByRole("list", { name: "Users" }).getByText("Anna Berg").waitFor({ state: "detached" });
  });

  it("restores it, and its window is as it was, without a reload", async () => {
    await admin.button("Archived").click();
    await admin.page.getByText("left the clinic").waitFor();
    await openMenuOf(admin, "Anna Berg", "Restore");
    await admin.page.getByText("Anna Berg can sign in again.").waitFor();
    await anna.row("walk").waitFor();
    await admin.button("Active").click();
  });

  it("changes a role: the window has the places of the new one at once", async () => {
    await changeRole(admin, "Anna Berg", "Patient");
    await anna.page.locator("button.account", { hasText: "Patient" }).waitFor();
    await anna.goTo("Invitations");
    await anna.button("Ask somebody").first().waitFor();
    await changeRole(admin, "Anna Berg", "Administrator");
    await anna.goTo("Statistics");
    expect(await anna.page.getByRole("link", { name: "Recordings" }).count()).toBe(0);
    await changeRole(admin, "Anna Berg", "Physiotherapist");
    await anna.goTo("Recordings");
    await anna.row("walk").waitFor();
  });

  it("is told in words that the last admin stays one", async () => {
    await changeRole(admin, ADMIN, "Patient");
    await admin.page.getByRole("dialog").getByRole("alert").getByText("at least one administrator").waitFor();
    await admin.screenshot("last-admin");
    await admin.page.keyboard.press("Escape");
    await admin.heading("Users").waitFor();
  });

  it("deletes an account once its address has been typed: its window is that of somebody new", async () => {
    await openMenuOf(admin, "Anna Berg", "Delete for good");
    const dialog = admin.page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("anna");
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await dialog.getByRole("alert").getByText("This is not anna@example.org.").waitFor();
    await dialog.getByRole("textbox").fill("anna@example.org");
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await admin.page.getByText("Anna Berg has been deleted.").waitFor();
    await anna.heading("Welcome").waitFor();
    expect(await anna.page.locator("body").textContent()).not.toContain("walk");
    for (const desk of [admin, anna]) expect(desk.problems).toEqual([]);
  });
});

async function openMenuOf(admin: Desk, name: string, item: string): Promise<void> {
  await admin.page.getByRole("list", { name: "Users" }).getByRole("listitem").filter({ hasText: name }).getByRole("button").click();
  await admin.page.getByRole("menuitem", { name: item }).click();
}

async function changeRole(admin: Desk, name: string, role: string): Promise<void> {
  await openMenuOf(admin, name, "Change role");
  await admin.page.getByRole("dialog").getByLabel("Role").selectOption({ label: role });
  await admin.button("Change role").click();
  await admin.page.getByRole("dialog").locator("[aria-busy]").waitFor({ state: "detached" });
}

function csvOf(file: string): string {
  const rows = file.slice(file.indexOf("time\t")).replaceAll("\t", ",");
  return rows.replace("knee_angle_l", "left_knee").replace("knee_angle_r", "right_knee");
}
