/** What is drawn of a curve: no more corners than can be seen. A sample that is no number is a gap, which nothing is drawn over. */

import { indexAt } from "./layers.ts";

/** Part of a curve without a gap: places, ascending, and the least and the largest value at each. */
export interface Run {
  readonly at: number[];
  readonly low: number[];
  readonly high: number[];
}

/** Keep each of the samples `first` to `last`. */
export function samplesIn(at: Float64Array, values: Float64Array, first: number, last: number): Run[] {
  const runs: Run[] = [];
  let isNew = true;
  for (let index = first; index <= last; index += 1) {
    const value = values[index]!;
    if (!Number.isNaN(value)) add(runs, isNew, at[index]!, value, value);
    isNew = Number.isNaN(value);
  }
  return runs;
}

/**
 * Keep the least and the largest of the samples in each column, so that no peak is lost.
 *
 * Columns begin at multiples of their width and are whole also at the ends, where there is one more: when the view moves
 * they move along, and nothing flickers.
 */
export function columnsIn(at: Float64Array, values: Float64Array, first: number, last: number, width: number): Run[] {
  const runs: Run[] = [];
  let isNew = true;
  const stop = indexAt(at, (Math.floor(at[last]! / width) + 2) * width);
  for (let index = indexAt(at, (Math.floor(at[first]! / width) - 1) * width); index < stop; ) {
    const column = Math.floor(at[index]! / width);
    const end = (column + 1) * width;
    let [low, high] = [Infinity, -Infinity];
    do {
      const value = values[index]!;
      if (value < low) low = value;
      if (value > high) high = value;
      index += 1;
    } while (index < stop && at[index]! < end);
    if (low <= high) add(runs, isNew, (column + 0.5) * width, low, high);
    isNew = low > high;
  }
  return runs;
}

function add(runs: Run[], isNew: boolean, at: number, low: number, high: number): void {
  if (isNew) runs.push({ at: [], low: [], high: [] });
  const run = runs.at(-1)!;
  run.at.push(at);
  run.low.push(low);
  run.high.push(high);
}

/** Let a last column that the samples' `end` cuts short reach as far as the one before it: part of a stride says little of it. */
export function evenEnd({ at, low, high }: Run, width: number, end: number): Run {
  const last = at.length - 1;
  if (last < 1 || at[last]! + width / 2 <= end) return { at, low, high };
  return {
    at: [...at.slice(0, last), Math.min(at[last]!, end)],
    low: [...low.slice(0, last), Math.min(low[last]!, low[last - 1]!)],
    high: [...high.slice(0, last), Math.max(high[last]!, high[last - 1]!)],
  };
}

/** Let each column reach to the ones beside it, as a line does that goes through all of them. */
export function joined({ at, low, high }: Run): Run {
  const beside = (values: number[], index: number, other: number): [number, number] => [values[index - 1] ?? other, values[index + 1] ?? other];
  return {
    at,
    low: low.map((value, index) => Math.min(value, ...beside(high, index, value))),
    high: high.map((value, index) => Math.max(value, ...beside(low, index, value))),
  };
}
