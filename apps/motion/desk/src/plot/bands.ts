/** Where curves are drawn as bands: between the least and the largest value of every stride, with the upper edge. */
import { bucketOf, type Layer } from "./layers.ts";

/** Seconds in a pixel from which on the strides of somebody walking run into each other, and one knee would cover the other. */
export const DENSE_S = 0.2;
/** The stride of a slow walk: a column that holds less of it would go up and down with it. */
const STRIDE_S = 1.6;

/**
 * Tell how many seconds the columns of a band are wide; null: lines can be drawn.
 *
 * A layer that is too coarse for the view, because finer samples are on their way, has numbers for strides at best: a line
 * through them would be of something that never was. A column holds both numbers of one of its buckets.
 *
 * @param pixel The samples in a pixel.
 */
export function bandFor(layer: Layer, pixel: number, sampleRate: number): number | null {
  const bucket = bucketOf(layer);
  if (Math.max(pixel, bucket) / sampleRate <= DENSE_S) return null;
  return Math.max(STRIDE_S, (2 * bucket) / sampleRate);
}
