import { expect, test } from "vitest";
import { bandFor } from "../src/plot/bands.ts";
import { columnsIn } from "../src/plot/columns.ts";
import { layerOf, type Layer } from "../src/plot/layers.ts";

const RATE = 100;
const layer = (stop: number, points: number | null): Layer => {
  const values = new Float64Array(points ?? stop);
  return layerOf({ start: 0, stop, points }, values, values);
};

test("lines are drawn as long as strides are wide enough", () => {
  expect(bandFor(layer(3_000, null), 4, RATE)).toBeNull();
  expect(bandFor(layer(30_000, 3_000), 20, RATE)).toBeNull();
  expect(bandFor(layer(36_000, null), 40, RATE)).toBeGreaterThan(1);
});

test("every sample there is makes a line, however slowly they come", () => {
  expect(bandFor(layer(40, null), 0.1, 1)).toBeNull();
});

test("a layer too coarse for the view is a band until the finer one is there", () => {
  expect(bandFor(layer(360_000, 4_096), 4, RATE)).toBeGreaterThan(1);
  expect(bandFor(layer(360_000, 90_000), 4, RATE)).toBeNull();
});

test("every column of a band has both numbers of a bucket", () => {
  const pairs = Float64Array.from({ length: 4_096 }, (_, index) => (index % 2 ? 60 : 5));
  const outline = layerOf({ start: 0, stop: 360_000, points: 4_096 }, pairs, pairs);
  const width = bandFor(outline, 4, RATE)! * RATE;
  const [run] = columnsIn(outline.at, outline.left, 0, 4_095, width);
  expect(new Set(run!.low.slice(0, -1))).toEqual(new Set([5]));
  expect(new Set(run!.high.slice(0, -1))).toEqual(new Set([60]));
});
