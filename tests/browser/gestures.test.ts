/** The plot under a mouse and under fingers: drag to zoom, double click for all, pinch, and one finger to move along. */
import type { BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const SECONDS = 60;

describe.skipIf(noBrowser).sequential("the plot", () => {
  let scene: Scene;
  let anna: Desk;
  let phone: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.person("Anna Berg", "Physiotherapist");
    await anna.drop("walk.mot", motionFile(SECONDS));
    await anna.heading("walk").waitFor();
    phone = await scene.window(anna.email, PHONE);
    await phone.signIn();
    await phone.row("walk").click();
  });
  afterAll(() => scene?.close());

  it("zooms to what a mouse is dragged over, and a double click shows all", async () => {
    await expect.poll(() => anna.inked(), { timeout: 20_000 }).toBeGreaterThan(500);
    const { x, y, width } = await area(anna);
    await anna.page.mouse.move(x + width * 0.25, y);
    await anna.page.mouse.down();
    await anna.page.mouse.move(x + width * 0.5, y, { steps: 5 });
    await anna.page.mouse.up();
    await expect.poll(async () => (await shown(anna)).map(Math.round)).toEqual([15, 30]);
    await anna.screenshot("zoomed-by-dragging");
    await anna.page.mouse.dblclick(x + width / 2, y);
    await anna.page.locator(".view", { hasText: "Whole recording" }).waitFor();
  });

  it("moves with the frame in the strip, whatever text is selected, until it is let go", async () => {
    const { x, y, width } = await area(anna);
    await anna.page.mouse.move(x + width * 0.4, y);
    await anna.page.mouse.down();
    await anna.page.mouse.move(x + width * 0.6, y, { steps: 5 });
    await anna.page.mouse.up();
    await expect.poll(async () => (await shown(anna)).map(Math.round)).toEqual([24, 36]);
    await anna.page.keyboard.press("Control+a"); // a drag that begins in selected text is one of the browser's own
    const strip = (await anna.page.locator(".overview").boundingBox())!;
    const at = (part: number): [number, number] => [strip.x + strip.width * part, strip.y + strip.height / 2];
    for (const [from, to, seconds] of [[0.5, 0.75, [39, 51]], [0.75, 0.25, [9, 21]]] as const) {
      await anna.page.mouse.move(...at(from));
      await anna.page.mouse.down();
      await anna.page.mouse.move(...at(to), { steps: 5 });
      await expect.poll(async () => (await shown(anna)).map(Math.round)).toEqual(seconds);
      await anna.page.mouse.up();
      await anna.painted(); // as a hand would
    }
    await anna.page.mouse.move(...at(0.6), { steps: 5 });
    expect((await shown(anna)).map(Math.round)).toEqual([9, 21]);
    await anna.page.getByRole("button", { name: "Show all" }).click();
    await anna.page.locator(".view", { hasText: "Whole recording" }).waitFor();
  });

  it("follows two fingers that part, and one that moves along, on a phone", async () => {
    await expect.poll(() => phone.inked(), { timeout: 20_000 }).toBeGreaterThan(500);
    const { x, y, width } = await area(phone);
    const touch = await fingers(phone, y);
    await touch("touchStart", x + width * 0.4, x + width * 0.6);
    await touch("touchMove", x + width * 0.3, x + width * 0.7);
    await touch("touchMove", x + width * 0.2, x + width * 0.8);
    await touch("touchEnd");
    const seconds = async (): Promise<number> => shown(phone).then(([from, to]) => to - from);
    await expect.poll(seconds).toBeLessThan(25); // a third of it
    const [from, to] = await shown(phone);
    expect(to - from).toBeGreaterThan(15);
    expect(Math.abs((from + to) / 2 - SECONDS / 2)).toBeLessThan(2); // and its middle still in the middle
    await touch("touchStart", x + width * 0.8);
    await touch("touchMove", x + width * 0.5);
    await touch("touchMove", x + width * 0.3);
    await touch("touchEnd");
    await expect.poll(async () => (await shown(phone))[0]).toBeGreaterThan(from + 5);
    await phone.page.getByRole("button", { name: "Show all" }).click();
    await phone.page.locator(".view", { hasText: "Whole recording" }).waitFor();
    for (const desk of [anna, phone]) expect(desk.problems).toEqual([]);
  });
});

/** Where curves are drawn: its left edge, its middle's height, its width. */
async function area(desk: Desk): Promise<{ x: number; y: number; width: number }> {
  const over = desk.page.locator(".plot-card .u-over").first();
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  return { x: box!.x, y: box!.y + box!.height / 2, width: box!.width };
}

/** From when to when is shown, in seconds. */
async function shown(desk: Desk): Promise<[number, number]> {
  const text = (await desk.page.locator(".plot-card .view").textContent()) ?? "";
  const [from = 0, to = SECONDS] = text.includes("–") ? text.split("–").map(inSeconds) : [];
  return [from, to];
}

const inSeconds = (text: string): number => text.split(":").reduce((sum, part) => sum * 60 + Number.parseFloat(part), 0);

/** Fingers on the glass, at a height; given their places along it. */
async function fingers(desk: Desk, y: number): Promise<(type: "touchStart" | "touchMove" | "touchEnd", ...places: number[]) => Promise<void>> {
  const session = await desk.page.context().newCDPSession(desk.page);
  return async (type, ...places) => void (await session.send("Input.dispatchTouchEvent", { type, touchPoints: places.map((x, id) => ({ x, y, id })) }));
}
