/** The first visit: the page loads from the hub, one signs in, and the list is there. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, noBrowser } from "./harness/chromium.ts";
import { Desk } from "./harness/desk.ts";
import { Hub } from "./harness/hub.ts";

describe.skipIf(noBrowser)("the first visit", () => {
  const hub = new Hub();
  let browser: Browser;

  beforeAll(async () => {
    await hub.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await hub.stop();
  });

  it("leads from the sign-in page over the choice of a role to the list", async () => {
    const desk = await Desk.open(browser, `http://127.0.0.1:${hub.port}`, "anna@example.org");
    await desk.heading("Sign in").waitFor();
    await desk.screenshot("sign-in");
    await desk.register("Physiotherapist", "Anna Berg");
    await desk.page.getByText("No recordings yet").waitFor();
    await desk.screenshot("recordings-empty");
    await desk.page.reload();
    await desk.page.getByText("No recordings yet").waitFor(); // still signed in
    expect(desk.problems).toEqual([]);
    await desk.close();
  });
});
