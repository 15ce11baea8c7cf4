/** Every dialog and menu on a phone: inside the glass, and reached with a thumb. */
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { Hub } from "./harness/hub.ts";
import { Scene } from "./harness/scene.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const ADMIN = "admin@example.org";

/** What is opened, on which page, and by which buttons. */
type Opened = readonly [name: string, path: string, buttons: readonly (string | RegExp)[]];
const BY_ANNA: readonly Opened[] = [
  ["shortcuts", "contacts", ["Menu", /^Account of/, "Keyboard shortcuts"]],
  ["change-name", "contacts", ["Menu", /^Account of/, "Change name"]],
  ["delete-account", "contacts", ["Menu", /^Account of/, "Delete account"]],
  ["import", "contacts", ["Menu", "Import recording"]],
  ["invite", "invites", ["Invite somebody"]],
  ["alias", "contacts", [/^More for/, "Change alias"]],
  ["remove-contact", "contacts", [/^More for/, "Remove contact"]],
  ["start-live", "live", ["Start a session"]],
];
const BY_ADMIN: readonly Opened[] = [
  ["look-as", "users", [/^More for Ben/, "Look as this user"]],
  ["change-role", "users", [/^More for Ben/, "Change role"]],
  ["archive-user", "users", [/^More for Ben/, "Archive"]],
  ["delete-user", "users", [/^More for Ben/, "Delete for good"]],
];

describe.skipIf(noBrowser)("on a phone", () => {
  let scene: Scene;
  let anna: Desk;
  let admin: Desk;
  beforeAll(async () => {
    const hub = new Hub();
    await hub.appoint(ADMIN);
    scene = await Scene.open(hub);
    await hub.seed();
    [anna, admin] = await Promise.all([scene.window("anna.keller@example.org", PHONE), scene.window(ADMIN, PHONE)]);
    for (const desk of [anna, admin]) {
      await desk.signIn();
      await desk.page.locator(".sidebar").waitFor({ state: "attached" });
    }
  });
  afterAll(() => scene?.close());

  it.each(BY_ANNA)("the dialog %s", (name, path, buttons) => dialogFits(anna, name, path, buttons));
  it.each(BY_ADMIN)("an admin's dialog %s", (name, path, buttons) => dialogFits(admin, name, path, buttons));

  it("a recording's archive dialog, its menu and its sharing", async () => {
    await anna.page.goto("/#/recordings");
    await anna.row("Treadmill, 5 km/h").click();
    await anna.button("Export").click();
    await fits(anna, anna.page.getByRole("menu"), "export");
    await anna.page.keyboard.press("Escape");
    await anna.button("Archive").click();
    await fits(anna, anna.page.getByRole("dialog"), "archive");
    await anna.page.keyboard.press("Escape");
    await anna.page.getByText("Share with a contact").click();
    await anna.page.getByRole("region", { name: "Sharing" }).scrollIntoViewIfNeeded();
    await anna.screenshot("phone-dialog-sharing");
    expect(await anna.overflow()).toBe(0);
    expect(anna.problems).toEqual([]);
  });
});

async function dialogFits(desk: Desk, dialogName: string, path: string, buttons: readonly (string | RegExp)[]): Promise<void> {
  await desk.page.goto(`/#/${path}`);
  await desk.page.reload();
  for (const name of buttons) {
    const ofName = (role: "button" | "menuitem"): Locator => desk.page.getByRole(role, { name, exact: true });
    await ofName("button").or(ofName("menuitem")).first().click();
  }
  const dialog = desk.page.getByRole("dialog");
  await fits(desk, dialog, dialogName);
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
}

async function fits(desk: Desk, shown: Locator, name: string): Promise<void> {
  await shown.waitFor();
  await desk.screenshot(`phone-dialog-${name}`);
  const { x, y, width, height } = (await shown.boundingBox())!;
  expect([x >= 0, y >= 0, x + width <= PHONE.viewport.width, y + height <= PHONE.viewport.height]).toEqual([true, true, true, true]);
  expect(await desk.overflow()).toBe(0);
}
