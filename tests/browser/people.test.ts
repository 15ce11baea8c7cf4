/** Invitations and contacts: what one side does, the other's window follows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { acquaint, Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser).sequential("people", () => {
  let scene: Scene;
  let anna: Desk;
  let paul: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    [anna, paul] = await scene.pair();
  });
  afterAll(() => scene?.close());

  it("an invitation that is declined or withdrawn is so on both sides; sending again too soon is refused in words", async () => {
    await paul.goTo("Invitations");
    await invite(anna, paul.email);
    await paul.button("Decline").click();
    await sent(anna).getByText("Declined").waitFor();

    await invite(anna, paul.email);
    await paul.button("Accept").waitFor();
    await choose(anna, `More for ${paul.email}`, "Send again");
    await anna.page.getByRole("alert").getByText("a little too often").waitFor();
    await choose(anna, `More for ${paul.email}`, "Withdraw");
    await sent(anna).getByText("Withdrawn").waitFor();
    await paul.button("Accept").waitFor({ state: "detached" });
  });

  it("inviting the same person twice is refused in the dialog, which stays open with what was typed", async () => {
    await invite(anna, "new@example.org");
    await anna.button("Invite somebody").first().click();
    const dialog = anna.page.getByRole("dialog");
    await dialog.getByLabel("E-mail address").fill("new@example.org");
    await dialog.getByRole("button", { name: "Send invitation" }).click();
    await dialog.getByRole("alert").getByText("asked this person already").waitFor();
    expect(await dialog.getByLabel("E-mail address").inputValue()).toBe("new@example.org");
    await anna.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  it("the subject of a recording is chosen later: their window has it at once, and loses it with another subject", async () => {
    await acquaint(anna, paul);
    await anna.goTo("Recordings");
    await anna.drop("walk.mot", motionFile(5));
    await anna.heading("walk").waitFor();
    await paul.goTo("Recordings of me");
    const subject = anna.page.getByLabel("Who was measured?");
    anna.wire.hold(); // no answer: only the page itself can show it
    await subject.selectOption({ label: "Paul Lang" });
    await anna.row("walk").getByText("Paul Lang").waitFor();
    anna.wire.release();
    await paul.row("walk").click();
    await paul.heading("walk").waitFor();

    await subject.selectOption({ label: "Somebody without an account" });
    await anna.page.getByRole("textbox", { name: "Name" }).fill("Mr. Test");
    await anna.page.keyboard.press("Enter");
    await anna.row("walk").getByText("Mr. Test").waitFor();
    await paul.page.getByText("Nobody has recorded you yet").waitFor();
    await paul.page.getByText("Not here").waitFor();
    await subject.selectOption({ label: "Not said" });
    await anna.row("walk").getByText("Unnamed").waitFor();
    await anna.page.reload();
    await anna.row("walk").getByText("Unnamed").waitFor();
    expect(await subject.locator("option:checked").textContent()).toBe("Not said");
  });

  it("a contact leads to their recordings, and has an alias that only one side sees", async () => {
    await anna.page.getByLabel("Who was measured?").selectOption({ label: "Paul Lang" });
    await anna.drop("other.mot", motionFile(1));
    await anna.heading("other").waitFor();
    await anna.goTo("Contacts");
    await choose(anna, "More for Paul Lang", "Change alias");
    await anna.page.getByLabel("What you call Paul Lang").fill("Left knee, Tuesdays");
    await anna.button("Save").click();
    await choose(anna, "More for Left knee, Tuesdays", "Show recordings");
    await anna.row("walk").waitFor();
    expect(await anna.titles()).toEqual(["walk"]);
    await anna.page.getByLabel("Subject").selectOption({ label: "Everybody" });
    await anna.row("other").waitFor();
    await paul.goTo("Contacts");
    expect(await paul.page.locator("body").textContent()).not.toContain("Tuesdays");
  });

  it("removing a contact ends what is shared, in the other window too", async () => {
    await anna.row("other").click();
    await anna.page.getByText("Share with a contact").click();
    await anna.page.getByRole("region", { name: "Sharing" }).getByRole("button", { name: /Tuesdays/ }).click();
    await paul.goTo("Shared with me");
    await paul.row("other").click();
    await paul.heading("other").waitFor();
    await anna.goTo("Contacts");
    await choose(anna, "More for Left knee, Tuesdays", "Remove contact");
    await anna.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await anna.page.getByText("No contacts yet").waitFor();
    await paul.page.getByText("Nothing is shared with you").waitFor();
    await paul.page.getByText("Not here").waitFor();
    await paul.goTo("Recordings of me");
    await paul.row("walk").waitFor(); // recordings of a person stay theirs to see
    await anna.goTo("Recordings");
    await anna.row("walk").click();
    expect(await anna.page.getByLabel("Who was measured?").locator("option:checked").textContent()).toBe("Somebody else");
    for (const desk of [anna, paul]) expect(desk.problems).toEqual([]);
  });
});

const sent = (desk: Desk) => desk.page.getByRole("list", { name: "Sent invitations" });

async function invite(desk: Desk, email: string): Promise<void> {
  await desk.goTo("Invitations");
  await desk.button("Invite somebody").first().click();
  await desk.page.getByLabel("E-mail address").fill(email);
  await desk.button("Send invitation").click();
  await desk.page.getByRole("dialog").waitFor({ state: "detached" });
}

async function choose(desk: Desk, menu: string, item: string): Promise<void> {
  await desk.button(menu).first().click();
  await desk.page.getByRole("menuitem", { name: item }).click();
}
