/** A front end that knows only npm convex, on a hub: two windows, pages, signing in and out, a hub that dies. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatScene, type ChatWindow } from "./harness/chat.ts";
import { noBrowser } from "./harness/chromium.ts";

/** What there was before anybody opened a window. */
const WRITTEN = Array.from({ length: 45 }, (_, number) => `number ${number}`);

describe.skipIf(noBrowser)("the chat made for Convex", () => {
  let scene: ChatScene;
  let ada: ChatWindow;
  let ben: ChatWindow;

  beforeAll(async () => {
    scene = await ChatScene.open();
    await scene.call("mutation", "mutations/users:store", {}, "Zoe");
    const channels = (await scene.call("query", "queries/channels:list", {}, "Zoe")) as { _id: string }[];
    for (const body of WRITTEN) await scene.call("mutation", "mutations/messages:send", { channelId: channels[0]!._id, body }, "Zoe");
    [ada, ben] = await Promise.all([scene.window("Ada"), scene.window("Ben", { colorScheme: "dark" })]);
  });
  afterAll(() => scene?.close());

  it("shows pages, and lets nobody write who is not signed in", async () => {
    await ada.page.getByText("Sign in to write.").waitFor();
    await ada.message("number 44").waitFor();
    expect(await ada.bodies()).toEqual(WRITTEN.toReversed().slice(0, 20));
    expect(await ada.like("number 44").isDisabled()).toBe(true);
    await Promise.all([ada.signIn(), ben.signIn()]);
  });

  it("lets two people talk", async () => {
    await ada.write("hello");
    await ben.message("hello").waitFor();
    await ben.write("hello yourself");
    await ada.message("hello yourself").waitFor();
    expect((await ada.bodies()).slice(0, 3)).toEqual(["hello yourself", "hello", "number 44"]);
    await ben.like("hello").click();
    await expect.poll(() => ada.like("hello").textContent()).toContain("1");
    expect(await ben.like("hello").getAttribute("aria-pressed")).toBe("true");
    await expect.poll(() => ada.message("hello yourself").getByRole("button", { name: "Take back" }).count()).toBe(0);
    await ben.message("hello yourself").getByRole("button", { name: "Take back" }).click();
    await expect.poll(async () => (await ada.bodies())[0]).toBe("hello");
  });

  it("loads older pages, which neither overlap nor leave a gap while others write", async () => {
    await ben.page.getByRole("button", { name: "Older messages" }).click();
    await ben.message("number 10").waitFor();
    await ada.write("one more");
    await ben.message("one more").waitFor();
    await ben.page.getByRole("button", { name: "Older messages" }).click();
    await ben.page.getByText("This is where it began.").waitFor();
    expect(await ben.bodies()).toEqual(["one more", "hello", ...WRITTEN.toReversed()]);
    await ben.page.reload();
    await ben.message("one more").waitFor();
    expect((await ben.bodies()).length, "as many as were asked for, however long others have been looking").toBe(20);
    await ben.like("number 43").click();
    await expect.poll(() => ben.like("number 43").getAttribute("aria-pressed")).toBe("true");
  });

  it("opens a channel, and says what is wrong with its name", async () => {
    const field = ada.page.getByLabel("New channel");
    await field.fill("general");
    await field.press("Enter");
    await ada.page.getByRole("alert").getByText("there is a channel #general already").waitFor();
    expect(ada.problems.splice(0).join()).toContain("there is a channel #general already"); // Convex's client writes it there
    await field.fill("plans");
    await field.press("Enter");
    await ada.page.getByRole("heading", { name: "#plans" }).waitFor();
    await ben.page.getByRole("button", { name: "#plans" }).click();
    await ada.write("shall we?");
    await ben.message("shall we?").waitFor();
  });

  it("survives a hub that is killed: what was written meanwhile arrives, once", async () => {
    await expect.poll(() => ada.page.locator(".sending").count(), { timeout: 60_000 }).toBe(0);
    await scene.hub.kill();
    await ada.page.getByRole("status").waitFor();
    await ada.write("are you there?");
    expect(await ada.page.locator(".sending").count()).toBe(1);
    await ada.screenshot("chat-offline");
    await scene.hub.start();
    await ben.message("are you there?").waitFor({ timeout: 60_000 });
    await expect.poll(() => ada.page.locator(".sending").count(), { timeout: 60_000 }).toBe(0);
    await ben.write("again, yes");
    await ada.message("again, yes").waitFor();
    expect(await ada.bodies()).toEqual(["again, yes", "are you there?", "shall we?"]);
    expect(await ben.bodies()).toEqual(await ada.bodies());
  });

  it("looks as it should in the light, in the dark and on a phone", async () => {
    await ada.page.getByRole("button", { name: "#general" }).click();
    await ada.message("one more").waitFor();
    await ada.screenshot("chat-light");
    await ben.page.getByRole("button", { name: "#general" }).click();
    await ben.message("one more").waitFor();
    await ben.screenshot("chat-dark");
    const phone = await scene.window("Cleo", { viewport: { width: 375, height: 700 }, colorScheme: "dark" });
    await phone.screenshot("chat-phone-signed-out");
    await phone.signIn();
    await phone.message("one more").waitFor();
    await phone.screenshot("chat-phone");
    expect(await phone.overflow()).toBe(0);
    for (const window of [ada, ben, phone]) expect(window.problems).toEqual([]);
  });

  it("signs out, and is nobody again", async () => {
    await ben.page.getByRole("button", { name: "Sign out" }).click();
    await ben.page.getByText("Sign in to write.").waitFor();
    expect(await ben.like("one more").isDisabled()).toBe(true);
    await ada.write("and now?");
    await ben.message("and now?").waitFor();
    for (const window of [ada, ben]) expect(window.problems).toEqual([]);
  });
});
