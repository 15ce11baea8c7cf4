/** Samples as they are drawn. */
import type { View, Wanted } from "./fetching.ts";
import { extremesOf, type Extremes } from "./numbers.ts";

/** A part of both knees, ready to be drawn: places in samples, ascending, and the values there. */
export interface Layer extends Wanted {
  readonly at: Float64Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** Make a layer of what was fetched; a knee that was not measured (null) has no numbers anywhere. */
export function layerOf(wanted: Wanted, left: Float64Array | null, right: Float64Array | null): Layer {
  const length = (left ?? right)?.length ?? 0;
  const nothing = (): Float64Array => new Float64Array(length).fill(NaN);
  if (wanted.points === null) {
    const at = Float64Array.from({ length }, (_, index) => wanted.start + index);
    return { ...wanted, at, left: left ?? nothing(), right: right ?? nothing() };
  }
  return { ...wanted, at: placesOf(wanted, length), left: left ? inOrder(left) : nothing(), right: right ? inOrder(right) : nothing() };
}

/** Place the two numbers of each bucket a quarter and three quarters into it. Bucket i begins at floor(i * n / buckets). */
function placesOf({ start, stop }: Wanted, numbers: number): Float64Array {
  const buckets = numbers / 2;
  const begin = (bucket: number): number => start + Math.floor((bucket * (stop - start)) / buckets);
  return Float64Array.from({ length: numbers }, (_, index) => {
    const bucket = index >> 1;
    const first = begin(bucket);
    return first + (begin(bucket + 1) - first) * (index % 2 ? 0.75 : 0.25);
  });
}

/** Turn pairs of minimum and maximum so that each begins near the end of the one before: a falling line falls. */
function inOrder(pairs: Float64Array): Float64Array {
  const turned = pairs.slice();
  for (let index = 2; index + 1 < turned.length; index += 2) {
    const [before, low, high] = [turned[index - 1]!, turned[index]!, turned[index + 1]!];
    if (Math.abs(high - before) < Math.abs(low - before)) [turned[index], turned[index + 1]] = [high, low];
  }
  return turned;
}

/** The samples that a layer has two numbers for; 0 if it has every one. */
export const bucketOf = ({ points, start, stop, at }: Layer): number => (points === null ? 0 : (2 * (stop - start)) / at.length);

/** Pick the finest of the layers that reach over a view; the first of them reaches over everything. */
export function pick(layers: readonly [Layer, ...Layer[]], { from, to }: View): Layer {
  const enough = layers.filter(({ start, stop }) => start <= Math.max(0, from) && stop - 1 >= to);
  return enough.reduce((best, layer) => (fineness(layer) > fineness(best) ? layer : best), layers[0]);
}

const fineness = ({ at, start, stop }: Layer): number => at.length / (stop - start);

/** Find the first index whose place is not before a sample. */
export function indexAt(at: Float64Array, sample: number): number {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle]! < sample) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The extremes of both knees within a view. */
export function extremesIn({ at, left, right }: Layer, { from, to }: View): { left: Extremes | null; right: Extremes | null } {
  const [first, last] = [indexAt(at, from), indexAt(at, to + 1e-9)];
  return { left: extremesOf(left, first, last), right: extremesOf(right, first, last) };
}
