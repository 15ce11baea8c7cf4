/** Every page, in a clinic with people and recordings: it is there, nothing goes wrong in it, and it fits into the window. */
import type { BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { Hub } from "./harness/hub.ts";
import { Scene } from "./harness/scene.ts";

const LOOKS: readonly [string, BrowserContextOptions][] = [
  ["desktop", { viewport: { width: 1280, height: 800 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
];
const ANNA = "anna.keller@example.org";
const BEN = "ben.hofer@example.org";
const ADMIN = "admin@example.org";
/** Whose page, its address, and its heading. */
const PAGES: readonly [email: string, path: string, heading: string][] = [
  [ANNA, "recordings", "Recordings"],
  [ANNA, "archive", "Archive"],
  [ANNA, "live", "Live"],
  [ANNA, "contacts", "Contacts"],
  [ANNA, "invites", "Invitations"],
  [BEN, "of-me", "Recordings of me"],
  [BEN, "shared", "Shared with me"],
  [ADMIN, "users", "Users"],
  [ADMIN, "statistics", "Statistics"],
  [ADMIN, "permissions", "Permissions"],
  [ADMIN, "audit", "Audit log"],
];

describe.skipIf(noBrowser)("every page", () => {
  let scene: Scene;
  beforeAll(async () => {
    const hub = new Hub();
    await hub.appoint(ADMIN);
    scene = await Scene.open(hub);
    await hub.seed();
  });
  afterAll(() => scene?.close());

  describe.each(LOOKS)("%s", (look, options) => {
    const desks = new Map<string, Promise<Desk>>();
    const deskOf = (email: string): Promise<Desk> => {
      const desk = desks.get(email) ?? scene.window(email, options).then(async (desk) => (await desk.signIn(), await desk.page.locator(".sidebar").waitFor({ state: "attached" }), desk));
      desks.set(email, desk);
      return desk;
    };
    afterAll(async () => {
      for (const desk of desks.values()) await (await desk).close();
    });

    it("the sign-in page", async () => {
      const desk = await scene.window("nobody@example.org", options);
      await desk.heading("Sign in").waitFor();
      await checked(desk, `${look}-sign-in`);
      await desk.signIn();
      await desk.heading("Welcome").waitFor();
      await checked(desk, `${look}-welcome`);
      await desk.close();
    });

    it.each(PAGES)("of %s: %s", async (email, path, heading) => {
      const desk = await deskOf(email);
      await desk.page.goto(`/#/${path}`);
      await desk.heading(heading).waitFor();
      await desk.page.locator(".skeleton").first().waitFor({ state: "detached" });
      await checked(desk, `${look}-${path}`);
    });

    it("a recording with its plot", async () => {
      const desk = await deskOf(ANNA);
      for (const appearance of ["dark", "light"] as const) {
        await desk.appear(appearance);
        await desk.page.goto("/#/recordings");
        await desk.row("Treadmill, 5 km/h").click();
        await expect.poll(() => desk.inked(), { timeout: 20_000 }).toBeGreaterThan(300); // a phone is not wider than that
      }
      await checked(desk, `${look}-recording`);
    });
  });
});

async function checked(desk: Desk, name: string): Promise<void> {
  await desk.screenshots(name);
  expect(await desk.overflow()).toBe(0);
  expect(desk.problems).toEqual([]);
}
