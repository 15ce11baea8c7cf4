/** An hour at 100 Hz: the file is imported with its progress shown, and the plot fetches no more than it shows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

const SECONDS = 3_600;
const SAMPLES_BYTES = SECONDS * 100 * 2 * 8;

describe.skipIf(noBrowser).sequential("a recording of an hour", () => {
  let scene: Scene;
  let anna: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.person("Anna Berg", "Physiotherapist");
  });
  afterAll(() => scene?.close());

  it("is imported with a progress bar, and outlined without all of its samples", async () => {
    const before = anna.wire.received;
    await anna.drop("hour.mot", motionFile(SECONDS));
    await anna.page.getByRole("progressbar", { name: "Importing hour.mot" }).waitFor();
    await anna.screenshot("importing");
    await anna.heading("hour").waitFor();
    await expect.poll(() => anna.inked(), { timeout: 20_000 }).toBeGreaterThan(500);
    expect(anna.wire.received - before).toBeLessThan(SAMPLES_BYTES / 20);
  });

  it("shows single steps when one zooms in, and fetches only their range", async () => {
    const before = anna.wire.received;
    for (let times = 0; times < 14; times++) await anna.button("Zoom in").click();
    await anna.page.locator(".view", { hasText: /^\d+:\d+.*–/ }).waitFor();
    await anna.page.locator(".refining.on").waitFor({ state: "detached" });
    await expect.poll(() => anna.inked()).toBeGreaterThan(500);
    await anna.screenshot("zoomed-in");
    expect(anna.wire.received - before).toBeLessThan(SAMPLES_BYTES / 5);
    await anna.button("Show all").click();
    await anna.page.locator(".view", { hasText: "Whole recording" }).waitFor();
    expect(anna.problems).toEqual([]);
  });
});
