import { describe, expect, test } from "vitest";
import { clamped, moved, OUTLINE_POINTS, outlineOf, wantedFor, zoomed, type View } from "../src/plot/fetching.ts";

const HOUR = 360_000;
const PIXELS = 900;

describe("what is fetched", () => {
  test("a short recording is fetched one and all, at once", () => {
    expect(outlineOf(3_000)).toEqual({ start: 0, stop: 3_000, points: null });
    expect(wantedFor({ from: 10, to: 90 }, 3_000, PIXELS)).toBeNull();
  });

  test("of a long one the outline serves as long as it has as many buckets as there are pixels", () => {
    expect(outlineOf(HOUR)).toEqual({ start: 0, stop: HOUR, points: OUTLINE_POINTS });
    expect(wantedFor({ from: 0, to: HOUR }, HOUR, PIXELS)).toBeNull();
    expect(wantedFor({ from: 0, to: HOUR / 4 }, HOUR, PIXELS)).not.toBeNull();
  });

  test("it reaches beyond the view, within the recording, and has a bucket for each pixel", () => {
    for (let from = 0; from < HOUR - 2_000; from += 12_345) {
      for (const span of [50, 2_000, 40_000]) {
        const view = clamped({ from, to: from + span }, HOUR);
        const { start, stop, points } = wantedFor(view, HOUR, PIXELS)!;
        expect(start).toBeGreaterThanOrEqual(0);
        expect(stop).toBeLessThanOrEqual(HOUR);
        expect(start <= view.from && stop >= view.to).toBe(true);
        expect(start === 0 || start < view.from).toBe(true);
        expect(stop - start).toBeLessThanOrEqual(6 * span + 64);
        const buckets = points === null ? stop - start : points / 2;
        expect((stop - start) / buckets).toBeLessThanOrEqual(Math.max(1, span / PIXELS));
      }
    }
  });

  test("few samples a pixel are fetched without thinning", () => {
    expect(wantedFor({ from: 0, to: 3 * PIXELS }, HOUR, PIXELS)!.points).toBeNull();
    expect(wantedFor({ from: 0, to: 8 * PIXELS }, HOUR, PIXELS)!.points).not.toBeNull();
  });

  test("moving a little asks for nothing else", () => {
    const view: View = { from: 100_000, to: 102_000 };
    const asked = new Set(Array.from({ length: 100 }, (_, step) => JSON.stringify(wantedFor(moved(view, step / 200, HOUR), HOUR, PIXELS))));
    expect(asked.size).toBeLessThanOrEqual(4);
  });
});

describe("views", () => {
  test("stay in the recording and keep their width", () => {
    expect(clamped({ from: -50, to: 50 }, 1_000)).toEqual({ from: 0, to: 100 });
    expect(clamped({ from: 950, to: 1_050 }, 1_000)).toEqual({ from: 899, to: 999 });
    expect(clamped({ from: 0, to: 5_000 }, 1_000)).toEqual({ from: 0, to: 999 });
  });

  test("show a few samples at least, also of a recording with hardly any", () => {
    const { from, to } = zoomed({ from: 0, to: 100 }, 0.0001, 50, 1_000);
    expect(to - from).toBe(8);
    expect(clamped({ from: 0, to: 1 }, 3)).toEqual({ from: 0, to: 2 });
    expect(clamped({ from: 0, to: 1 }, 1)).toEqual({ from: 0, to: 1 });
  });

  test("zoom around a place that stays where it is", () => {
    const { from, to } = zoomed({ from: 100, to: 200 }, 0.5, 125, 1_000);
    expect((125 - from) / (to - from)).toBeCloseTo(0.25);
  });
});
