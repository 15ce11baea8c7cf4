import { expect, test } from "vitest";
import { extremesOf, flexionSign, kneeNumbers, symmetry } from "../src/plot/numbers.ts";

test("extremes pass over samples that are no number", () => {
  expect(extremesOf([NaN, 3, -1, NaN])).toEqual({ min: -1, max: 3 });
  expect(extremesOf([1, 9, 4], 0, 1)).toEqual({ min: 1, max: 1 });
  expect(extremesOf([NaN])).toBeNull();
  expect(extremesOf([])).toBeNull();
});

test("flexion is the side to which a knee bends further", () => {
  expect(flexionSign({ min: -70, max: 1 }, { min: -62, max: 3 })).toBe(-1);
  expect(flexionSign({ min: -5, max: 65 }, null)).toBe(1);
  expect(flexionSign(null, null)).toBe(1);
});

test("both conventions give the same numbers", () => {
  const numbers = { flexion: 62, extension: -3, range: 65 };
  expect(kneeNumbers({ min: -62, max: 3 }, -1)).toEqual(numbers);
  expect(kneeNumbers({ min: -3, max: 62 }, 1)).toEqual(numbers);
});

test("symmetry is the weaker knee's part of the better one's range, whichever that is", () => {
  const [whole, half, still] = [60, 30, 0].map((range) => ({ flexion: range, extension: 0, range }));
  expect(symmetry(whole!, half!)).toBe(0.5);
  expect(symmetry(half!, whole!)).toBe(0.5);
  expect(symmetry(whole!, whole!)).toBe(1);
  expect(symmetry(whole!, still!)).toBe(0);
  expect(symmetry(still!, still!)).toBeNull();
});
