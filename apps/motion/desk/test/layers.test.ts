import { expect, test } from "vitest";
import { extremesIn, indexAt, layerOf, pick } from "../src/plot/layers.ts";

const samples = Float64Array.from({ length: 100 }, (_, index) => Math.sin(index / 5) * 30);

/** Thin as the server does: minimum and maximum of each bucket. */
function thinned(values: Float64Array, start: number, stop: number, points: number): Float64Array {
  const buckets = points / 2;
  const bounds = (bucket: number): number => start + Math.floor((bucket * (stop - start)) / buckets);
  return Float64Array.from({ length: points }, (_, index) => {
    const part = values.subarray(bounds(index >> 1), bounds((index >> 1) + 1));
    return index % 2 ? Math.max(...part) : Math.min(...part);
  });
}

test("whole samples are at their own places", () => {
  const layer = layerOf({ start: 10, stop: 13, points: null }, samples.slice(10, 13), samples.slice(10, 13));
  expect([...layer.at]).toEqual([10, 11, 12]);
});

test("a knee that was not measured has no numbers, and no extremes", () => {
  for (const points of [null, 8]) {
    const part = samples.slice(0, 8);
    const layer = layerOf({ start: 0, stop: 8, points }, null, part);
    expect(layer.left).toHaveLength(8);
    expect(extremesIn(layer, { from: 0, to: 8 }).left).toBeNull();
    expect(extremesIn(layer, { from: 0, to: 8 }).right).not.toBeNull();
  }
});

test("a thinned layer keeps both numbers of each bucket, inside of the bucket", () => {
  const pairs = thinned(samples, 0, 100, 14);
  const layer = layerOf({ start: 0, stop: 100, points: 14 }, pairs, pairs);
  for (let bucket = 0; bucket < 7; bucket += 1) {
    const [begin, end] = [Math.floor((bucket * 100) / 7), Math.floor(((bucket + 1) * 100) / 7)];
    expect(layer.at[2 * bucket]).toBeGreaterThanOrEqual(begin);
    expect(layer.at[2 * bucket + 1]).toBeLessThan(end);
    const drawn = [layer.left[2 * bucket]!, layer.left[2 * bucket + 1]!].sort((one, other) => one - other);
    expect(drawn).toEqual([pairs[2 * bucket], pairs[2 * bucket + 1]]);
  }
  expect([...layer.at]).toEqual([...layer.at].sort((one, other) => one - other));
});

test("a falling line falls: each pair begins near the end of the one before", () => {
  const falling = Float64Array.from({ length: 40 }, (_, index) => 40 - index);
  const pairs = thinned(falling, 0, 40, 8);
  const { left } = layerOf({ start: 0, stop: 40, points: 8 }, pairs, pairs);
  expect([...left.slice(2)]).toEqual([...left.slice(2)].sort((one, other) => other - one));
});

test("the finest layer that reaches over the view is drawn", () => {
  const zeros = (length: number): Float64Array => new Float64Array(length);
  const outline = layerOf({ start: 0, stop: 1_000, points: 100 }, zeros(100), zeros(100));
  const coarse = layerOf({ start: 100, stop: 500, points: 200 }, zeros(200), zeros(200));
  const fine = layerOf({ start: 200, stop: 300, points: null }, zeros(100), zeros(100));
  expect(pick([outline, coarse, fine], { from: 220, to: 280 })).toBe(fine);
  expect(pick([outline, coarse, fine], { from: 220, to: 299 })).toBe(fine);
  expect(pick([outline, coarse, fine], { from: 220, to: 299.5 })).toBe(coarse); // its last sample is 299
  expect(pick([outline, coarse, fine], { from: 50, to: 280 })).toBe(outline);
});

test("extremes are those within the view", () => {
  const layer = layerOf({ start: 0, stop: 100, points: null }, samples, samples.map((value) => -value));
  const { left, right } = extremesIn(layer, { from: 0, to: 99 });
  expect([left!.max, right!.min]).toEqual([Math.max(...samples), -Math.max(...samples)]);
  expect(extremesIn(layer, { from: 3, to: 3 }).left).toEqual({ min: samples[3], max: samples[3] });
  expect(extremesIn(layer, { from: 3.2, to: 3.8 }).left).toBeNull();
});

test("places are found by halving", () => {
  const at = Float64Array.of(0, 2, 4, 6);
  expect([-1, 0, 1, 4, 7].map((sample) => indexAt(at, sample))).toEqual([0, 0, 1, 2, 4]);
});
