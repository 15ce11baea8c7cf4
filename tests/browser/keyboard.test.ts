/** The desk without a mouse: from signing in to a renamed recording, and where the focus is on the way. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser).sequential("the keyboard alone", () => {
  let scene: Scene;
  let anna: Desk;
  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.window("anna@example.org");
  });
  afterAll(() => scene?.close());

  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await anna.page.keyboard.press(key);
  };
  /** Press a key until something has the focus. */
  const until = async (key: string, wanted: string | RegExp): Promise<void> => {
    for (let times = 0; times < 40; times++) {
      if ((await focused(anna)).match(wanted)) return;
      await press(key);
    }
    throw new Error(`${key} does not lead to ${wanted}`);
  };

  it("signs in, makes the account, and opens the first recording", async () => {
    await anna.page.getByLabel("Sign in as").waitFor();
    await until("Tab", /Sign in as/);
    await anna.page.keyboard.type(anna.email);
    await press("Enter");
    await anna.heading("Welcome").waitFor();
    await until("Tab", /Physiotherapist/);
    await press("Space");
    await until("Tab", /Your name/);
    await anna.page.keyboard.type("Anna Berg");
    await press("Enter");
    await anna.page.getByText("No recordings yet").waitFor();
    for (const name of ["one", "two"]) {
      await anna.drop(`${name}.mot`, motionFile(2));
      await anna.heading(name).waitFor();
    }
  });

  it("skips to the content, goes places, and moves through the list", async () => {
    await press("g", "c");
    await anna.page.reload();
    await anna.heading("Contacts").waitFor();
    await press("Tab");
    expect(await focused(anna)).toBe("Skip to content");
    await press("Enter");
    expect(await anna.page.evaluate(() => document.activeElement?.id)).toBe("main");
    await press("g", "r");
    await anna.row("one").waitFor();
    const [first, second] = await anna.titles();
    await press("ArrowDown");
    await anna.heading(first!).waitFor();
    await press("ArrowDown");
    await anna.heading(second!).waitFor();
    await press("/");
    expect(await focused(anna)).toBe("Search recordings");
    await anna.page.keyboard.type("one");
    await anna.row("two").waitFor({ state: "detached" });
    await press("Escape");
    await anna.row("two").waitFor();
  });

  it("renames a recording; Esc leaves a field as it was", async () => {
    await anna.row("one").click();
    await until("Tab", /^Notes$/);
    await press("ControlOrMeta+a");
    await anna.page.keyboard.type("never mind");
    await press("Escape");
    await anna.heading("one").waitFor();
    await until("Tab", /^Notes$/);
    await press("ControlOrMeta+a");
    await anna.page.keyboard.type("renamed by keys");
    await press("ControlOrMeta+Enter");
    await anna.row("renamed by keys").waitFor();
  });

  it("a dialog takes the focus, keeps it, and gives it back", async () => {
    await press("?");
    const dialog = anna.page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await dialog.waitFor();
    await press("g", "c"); // nothing behind it moves
    await press("Escape");
    await dialog.waitFor({ state: "detached" });
    await anna.heading("renamed by keys").waitFor();

    await until("Tab", /^Archive$/);
    await until("Shift+Tab", /^Export$/);
    await until("Tab", /^Archive$/);
    await press("Enter");
    await anna.page.getByRole("dialog").waitFor();
    expect(await focused(anna)).toBe("Reason (optional)");
    for (let times = 0; times < 6; times++) {
      await press("Tab");
      expect(await anna.page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog")!.contains(document.activeElement))).toBe(true);
    }
    await press("Escape");
    await anna.page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(anna)).toBe("Archive");
    await anna.heading("renamed by keys").waitFor(); // Esc closed the dialog, and nothing else
  });

  it("a menu opens, is walked through, and gives the focus back, also after its dialog", async () => {
    await until("Shift+Tab", /^Account of Anna Berg$/);
    await press("Enter");
    await anna.page.locator("[role=menuitem]:focus").waitFor(); // until then the arrows are the list's
    await press("ArrowDown", "ArrowDown");
    expect(await focused(anna)).toBe("Change name");
    await press("Enter");
    await anna.page.getByRole("dialog").waitFor();
    expect(await focused(anna)).toBe("Your name");
    await press("Escape");
    await anna.page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(anna)).toBe("Account of Anna Berg");
    await press("Enter", "Escape");
    expect(await anna.page.getByRole("menu").count()).toBe(0);
    expect(await focused(anna)).toBe("Account of Anna Berg");
    expect(anna.problems).toEqual([]);
  });
});

/** The name of what has the focus. */
function focused(desk: Desk): Promise<string> {
  return desk.page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    if (element === document.body) return "";
    return (element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "").trim();
  });
}
