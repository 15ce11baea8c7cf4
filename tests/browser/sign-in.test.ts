/** The first visit: the page loads from the hub, one signs in, and the list is there. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser)("the first visit", () => {
  let scene: Scene;
  beforeAll(async () => void (scene = await Scene.open()));
  afterAll(() => scene?.close());

  it("leads from the sign-in page over the choice of a role to the list, and is kept over a reload", async () => {
    const desk = await scene.window("anna@example.org");
    await desk.heading("Sign in").waitFor();
    await desk.register("Physiotherapist", "Anna Berg");
    await desk.page.getByText("No recordings yet").waitFor();
    await desk.page.reload();
    await desk.page.getByText("No recordings yet").waitFor();
    expect(desk.problems).toEqual([]);
  });

  it("a link that somebody else has sent signs nobody in by being opened, and does not stay in the address", async () => {
    const desk = await scene.window("mia@example.org");
    const tried: string[] = [];
    desk.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => void tried.push(String(payload))));
    await desk.page.goto("/#/link/email-link%3AZV9tYWxsb3J5");
    await desk.heading("Sign in by this link?").waitFor(); // as the page's first address, as a mail opens it
    await desk.page.reload();
    await desk.heading("Sign in").waitFor();
    await desk.page.goto("/#/link/email-link%3AZV9tYWxsb3J5");
    await desk.heading("Sign in by this link?").waitFor(); // and in a page that is open
    expect(desk.page.url()).not.toContain("ZV9tYWxsb3J5");
    expect(tried.join()).not.toContain("ZV9tYWxsb3J5");
    await desk.screenshot("sign-in-link");
    await desk.button("Do not sign in").click();
    await desk.heading("Sign in").waitFor();
    await desk.register("Patient", "Mia Stern");
    await desk.page.goto("/#/link/email-link%3AZV9tYWxsb3J5");
    await desk.page.getByText("Who is signed in here is signed out by it.").waitFor();
    await desk.button("Sign in").click();
    await desk.page.getByText("This link has been used already, or is too old.").waitFor();
    await desk.heading("Recordings of me").waitFor(); // one that is not taken signs nobody out
    expect(tried.join()).toContain("ZV9tYWxsb3J5");
  });

  it("a link that this browser has asked for signs in by being opened", async () => {
    const desk = await scene.window("mia@example.org");
    await desk.page.getByLabel("E-mail address").fill("mia@example.org");
    await desk.button("Send me a code").click();
    await desk.page.getByLabel("Code").waitFor();
    await desk.page.goto("/#/link/email-link%3AZV9tYWxsb3J5");
    await desk.page.getByText("This link has been used already, or is too old.").waitFor();
  });
});
