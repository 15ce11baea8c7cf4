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

  it("changes a role: the other's window is another one at once", async () => {
    await admin.goTo("Users");
    await openMenuOf(admin, "Anna Berg", "Change role");
    await admin.page.getByRole("dialog").getByRole("combobox").selectOption({ label: "Patient" });
    await admin.page.getByRole("dialog").locator("button[type=submit]").click();
    await anna.page.getByText("Patient", { exact: true }).first().waitFor();
    expect(anna.problems).toEqual([]);
  });

  it("archives an account: its window says so and shows nothing any more", async () => {
    await openMenuOf(admin, "Anna Berg", "Archive");
    await admin.page.getByRole("dialog").getByRole("textbox").fill("left the clinic");
    await admin.page.getByRole("dialog").locator("button[type=submit]").click();
    await anna.page.locator("a.recording").first().waitFor({ state: "detached" });
    await anna.screenshot("archived-account");
    await admin.page.getByRole("list", { name: "Users" }).getByText("Anna Berg").waitFor({ state: "detached" });
  });
});

async function openMenuOf(admin: Desk, name: string, item: string): Promise<void> {
  await admin.page.getByRole("list", { name: "Users" }).getByRole("listitem").filter({ hasText: name }).getByRole("button").click();
  await admin.page.getByRole("menuitem", { name: item }).click();
}

function csvOf(file: string): string {
  const rows = file.slice(file.indexOf("time\t")).replaceAll("\t", ",");
  return rows.replace("knee_angle_l", "left_knee").replace("knee_angle_r", "right_knee");
}
