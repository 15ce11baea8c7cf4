/** The pages of events: the door by typing, also while the connection is away, and what the organizer watches. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { call, LOOKS } from "./harness/dashboard.ts";
import { SmallScene, type SmallPage } from "./harness/small-page.ts";

describe.skipIf(noBrowser)("the pages of events", () => {
  let scene: SmallScene;
  let ada: SmallPage;
  let dan: SmallPage;
  let codes: string[];
  beforeAll(async () => {
    scene = await SmallScene.open("events");
    ada = await scene.window("ada@events.example", null, { bypassCSP: true });
    dan = await scene.window("dan@events.example", null, { bypassCSP: true });
    const mine = await Promise.all(
      ["alma", "ben", "cleo"].map((name) => call(scene.hub, "query", "passes:mine", {}, `dev:${name}@guests.example`)),
    );
    codes = (mine as { code: string }[][]).map(([pass]) => pass!.code);
  });
  afterAll(() => scene?.close());

  const scan = async (window: SmallPage, code: string): Promise<void> => {
    await window.page.getByLabel("Code of the pass").fill(code);
    await window.page.keyboard.press("Enter");
  };

  it("admits a pass once, and counts at every door", async () => {
    await ada.button("Door").click();
    await scan(dan, codes[0]!);
    await dan.page.getByText("Admitted").waitFor();
    await ada.page.locator(".count", { hasText: "1 of 24" }).waitFor();
    await scan(ada, codes[0]!);
    await ada.page.getByText("Already in").waitFor();
    await scan(ada, "nonsense");
    await ada.page.getByText("Unknown pass").waitFor();
    expect(await dan.button("Organizer").count(), "the door sees no sales").toBe(0);
  });

  it("finds who comes without a pass, and checks them in", async () => {
    const search = dan.page.getByRole("searchbox", { name: "Find a guest" });
    await search.fill("dor");
    await dan.page.getByRole("list", { name: "Guests" }).getByText("Dora", { exact: true }).waitFor();
    await dan.page.getByRole("list", { name: "Guests" }).getByRole("button", { name: "Check in" }).click();
    await dan.page.locator(".count", { hasText: "2 of 24" }).waitFor();
    expect(await search.inputValue()).toBe("");
    await search.fill("nobody");
    await dan.page.getByText("Nobody of that name").waitFor();
    await search.fill("");
  });

  it("keeps what is scanned while the connection is away, and checks it in later", async () => {
    await scene.hub.kill();
    await dan.page.getByText("The connection is away").waitFor();
    await scan(dan, codes[1]!);
    await scan(dan, codes[2]!);
    await dan.page.getByText("2 kept").waitFor();
    await scene.hub.start();
    await dan.page.locator(".count", { hasText: "4 of 24" }).waitFor();
    await ada.page.locator(".count", { hasText: "4 of 24" }).waitFor();
  });

  it("shows sales, tiers and a batch as they move", async () => {
    await ada.button("Organizer").click();
    await ada.page.getByText("24 tickets").waitFor();
    await ada.page.getByText("10 of 10").waitFor();
    await ada.button("Make them").click();
    await ada.page.getByText("running").waitFor();
    await ada.button("Cancel").click();
    await ada.page.getByText("cancelled").waitFor();
  });

  it.each(LOOKS)("look well: %s", async (name, options) => {
    const olga = await scene.window("olga@events.example", null, options);
    await olga.page.getByText("What is left").waitFor();
    await olga.page.locator("b", { hasText: "5" }).waitFor();
    await olga.isSound(`${name}-organizer`);
    await olga.button("Door").click();
    await olga.page.locator(".count", { hasText: "of 24" }).waitFor();
    await olga.page.getByRole("searchbox", { name: "Find a guest" }).fill("dor");
    await olga.page.getByRole("list", { name: "Guests" }).getByText("Dora", { exact: true }).waitFor();
    await olga.isSound(`${name}-door`);
    await olga.close();
  });
});
