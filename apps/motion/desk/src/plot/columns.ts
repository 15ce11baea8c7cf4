/** What a curve is in pixels: as many corners as can be seen. A sample that is no number is a gap, which nothing is drawn over. */

/** Part of a curve without a gap: places in pixels, ascending, and the least and the largest value at each. */
export interface Run {
  readonly x: number[];
  readonly low: number[];
  readonly high: number[];
}

/** Where samples are on the screen: `x` of a place, and the width of a column; both in pixels. */
export interface Screen {
  readonly x: (at: number) => number;
  readonly column: number;
}

/** Keep each of the samples `first` to `last`. */
export function samplesIn(at: Float64Array, values: Float64Array, first: number, last: number, { x }: Screen): Run[] {
  const runs: Run[] = [];
  let isNew = true;
  for (let index = first; index <= last; index += 1) {
    const value = values[index]!;
    if (Number.isNaN(value)) isNew = true;
    else {
      if (isNew) runs.push({ x: [], low: [], high: [] });
      add(runs.at(-1)!, x(at[index]!), value, value);
      isNew = false;
    }
  }
  return runs;
}

/** Keep the least and the largest of the samples in each column, so that no peak is lost. */
export function columnsIn(at: Float64Array, values: Float64Array, first: number, last: number, { x, column }: Screen): Run[] {
  const runs: Run[] = [];
  let isNew = true;
  for (let index = first; index <= last; ) {
    const here = Math.floor(x(at[index]!) / column);
    let [low, high] = [Infinity, -Infinity];
    for (; index <= last && Math.floor(x(at[index]!) / column) === here; index += 1) {
      const value = values[index]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low <= high) {
      if (isNew) runs.push({ x: [], low: [], high: [] });
      add(runs.at(-1)!, (here + 0.5) * column, low, high);
    }
    isNew = low > high;
  }
  return runs;
}

function add(run: Run, x: number, low: number, high: number): void {
  run.x.push(x);
  run.low.push(low);
  run.high.push(high);
}

/** Let each column reach to the ones beside it, as a line does that goes through all of them. */
export function joined({ x, low, high }: Run): Run {
  const reach = (one: number[], other: number[], nearer: (...values: number[]) => number): number[] =>
    one.map((value, index) => nearer(value, other[index - 1] ?? value, other[index + 1] ?? value));
  return { x, low: reach(low, high, Math.min), high: reach(high, low, Math.max) };
}
