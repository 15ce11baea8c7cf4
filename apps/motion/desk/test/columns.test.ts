import { describe, expect, test } from "vitest";
import { columnsIn, evenEnd, joined, samplesIn, type Run } from "../src/plot/columns.ts";

const ascending = (length: number, step = 1): Float64Array => Float64Array.from({ length }, (_, index) => index * step);
const waves = (length: number): Float64Array => Float64Array.from({ length }, (_, index) => 30 * Math.sin(index / 7) - 20 * Math.sin(index / 3));

describe("columns", () => {
  test("keep every peak, and where it is to a column", () => {
    const values = waves(5_000);
    values[1_234] = 99;
    values[3_210] = -77;
    const [run] = columnsIn(ascending(5_000), values, 0, 4_999, 25) as [Run];
    expect(run.at).toHaveLength(200);
    expect([Math.max(...run.high), Math.min(...run.low)]).toEqual([99, -77]);
    expect([run.at[run.high.indexOf(99)], run.at[run.low.indexOf(-77)]]).toEqual([1_237.5, 3_212.5]);
  });

  test("are the same ones wherever the view begins: nothing flickers while it moves", () => {
    const values = waves(2_000);
    const all = columnsIn(ascending(2_000, 0.01), values, 0, 1_999, 0.16)[0]!;
    for (const first of [100, 101, 107, 115]) {
      const [part] = columnsIn(ascending(2_000, 0.01), values, first, first + 600, 0.16) as [Run];
      const from = all.at.indexOf(part.at[0]!);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(part.low).toEqual(all.low.slice(from, from + part.low.length));
      expect(part.high).toEqual(all.high.slice(from, from + part.high.length));
      expect(part.at[0]).toBeLessThan(first / 100);
      expect(part.at.at(-1)).toBeGreaterThan((first + 600) / 100);
    }
  });

  test("hold nothing where there is no number, and pass over one among numbers", () => {
    const values = ascending(40);
    values[3] = NaN;
    values.fill(NaN, 10, 20);
    const runs = columnsIn(ascending(40), values, 0, 39, 5);
    expect(runs.map(({ low, high }) => [low, high])).toEqual([[[0, 5], [4, 9]], [[20, 25, 30, 35], [24, 29, 34, 39]]]);
  });

  test("that are cut short by the end do not dip there, and end with the samples", () => {
    const run: Run = { at: [5, 15, 25], low: [0, 1, 30], high: [60, 70, 45] };
    expect(evenEnd(run, 10, 22)).toEqual({ at: [5, 15, 22], low: [0, 1, 1], high: [60, 70, 70] });
    expect(evenEnd(run, 10, 27)).toEqual({ at: [5, 15, 25], low: [0, 1, 1], high: [60, 70, 70] });
    expect(evenEnd(run, 10, 30)).toEqual(run);
    const short: Run = { at: [5], low: [0], high: [45] };
    expect(evenEnd(short, 10, 3)).toEqual(short);
  });

  test("of nothing but gaps are none", () => {
    expect(columnsIn(ascending(9), new Float64Array(9).fill(NaN), 0, 8, 3)).toEqual([]);
    expect(samplesIn(ascending(9), new Float64Array(9).fill(NaN), 0, 8)).toEqual([]);
  });
});

describe("samples", () => {
  test("are kept one and all, and end at a gap", () => {
    const runs = samplesIn(ascending(6, 0.5), Float64Array.of(1, -2, NaN, NaN, 3, 4), 0, 5);
    expect(runs.map(({ at, high }) => [at, high])).toEqual([[[0, 0.5], [1, -2]], [[2, 2.5], [3, 4]]]);
  });

  test("one by itself is a run of one", () => {
    expect(samplesIn(Float64Array.of(0), Float64Array.of(7), 0, 0)).toEqual([{ at: [0], low: [7], high: [7] }]);
  });
});

test("joined columns touch the ones beside them, upwards and downwards", () => {
  const { low, high } = joined({ at: [0, 1, 2, 3], low: [0, 20, 60, 5], high: [10, 30, 70, 8] });
  expect(low).toEqual([0, 10, 8, 5]);
  expect(high).toEqual([20, 60, 70, 60]);
});
