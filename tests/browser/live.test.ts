/** A live session: it grows in the window of whoever watches, and becomes a recording for both. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { call } from "./harness/dashboard.ts";
import type { Desk } from "./harness/desk.ts";
import { acquaint, Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser)("a live session", () => {
  let scene: Scene;
  let anna: Desk;
  let paul: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    [anna, paul] = await scene.pair();
    await acquaint(anna, paul);
  });
  afterAll(() => scene?.close());

  it("is seen growing by whom it measures, survives a cut, and is saved for both", async () => {
    await paul.goTo("Live");
    await paul.page.getByText("Nothing is being measured").waitFor();
    await anna.goTo("Live");
    await anna.button("Start a session").first().click();
    await anna.page.getByLabel("Who is measured?").selectOption({ label: "Paul Lang" });
    await anna.button("Start measuring").click();
    await paul.page.getByRole("list", { name: "Running sessions" }).getByRole("link").click();

    await expect.poll(() => seconds(paul), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    await expect.poll(() => paul.inked(), { timeout: 10_000 }).toBeGreaterThan(200);
    await paul.screenshot("live-watching");

    anna.wire.cut();
    const before = await seconds(paul);
    await anna.page.getByText("You are offline.").waitFor();
    await anna.wake();
    await expect.poll(() => seconds(paul), { timeout: 40_000 }).toBeGreaterThan(before + 1);

    await anna.button("Finish").click();
    await anna.page.getByLabel("Notes").fill("Measured live");
    await anna.screenshot("live-finishing");
    await anna.button("Save recording").click();
    await anna.heading("Measured live").waitFor();
    await expect.poll(() => anna.inked(), { timeout: 10_000 }).toBeGreaterThan(500);
    await paul.page.getByText("This session has been finished.").waitFor();
    await paul.goTo("Recordings of me");
    await paul.row("Measured live").waitFor();
    for (const desk of [anna, paul]) expect(desk.problems).toEqual([]);
  });

  it("that another program began is not gone on with by a simulated sensor", async () => {
    const id = await call(scene.hub, "mutation", "live:start", { sampleRate: 100 }, `dev:${anna.email}`);
    await anna.page.evaluate((hash) => void (location.hash = hash), `#/live/${String(id)}`);
    await anna.button("Discard").waitFor();
    expect(await anna.button("Continue the simulated sensor").count()).toBe(0);
    await anna.goTo("Live");
    await anna.button("Start a session").first().click();
    await anna.button("Start measuring").click();
    await anna.page.waitForURL(/#\/live\/./);
    const there = anna.page.url();
    await anna.reopen();
    await anna.page.goto(there);
    await anna.button("Continue the simulated sensor").waitFor();
  });
});

/** How long the session has been running, as the window shows it. */
async function seconds(desk: Desk): Promise<number> {
  const text = (await desk.page.locator(".elapsed").textContent()) ?? "";
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
