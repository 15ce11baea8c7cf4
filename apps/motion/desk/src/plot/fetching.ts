/** Which samples a plot needs for what it shows. */

/** A part of a recording, in samples; the ends may lie between two. */
export interface View {
  readonly from: number;
  readonly to: number;
}

/** What to fetch: a range of samples, and to how many numbers to thin it (null: every sample). */
export interface Wanted {
  readonly start: number;
  readonly stop: number;
  readonly points: number | null;
}

/** Numbers of the outline of a whole recording: minimum and maximum of half as many buckets. */
export const OUTLINE_POINTS = 4_096;
/** Fewer samples a pixel than this are fetched one and all. */
const EVERY_BELOW = 4;
const FEWEST_SAMPLES = 8;

/**
 * Choose what to fetch for a view, or null if the outline of the whole shows as much as there are pixels.
 *
 * Ranges begin and end at multiples of a power of two, and reach beyond the view on both sides: moving a little asks for
 * nothing new, and moving back finds what was fetched.
 */
export function wantedFor({ from, to }: View, count: number, pixels: number): Wanted | null {
  const span = Math.max(to - from, FEWEST_SAMPLES);
  const perPixel = span / Math.max(1, pixels);
  if (count <= OUTLINE_POINTS || count / (OUTLINE_POINTS / 2) <= perPixel) return null;
  const block = 2 ** Math.ceil(Math.log2(span / 2));
  const start = Math.max(0, (Math.floor(from / block) - 1) * block);
  const stop = Math.min(count, (Math.ceil(to / block) + 1) * block);
  if (perPixel < EVERY_BELOW) return { start, stop, points: null };
  const bucket = 2 ** Math.floor(Math.log2(perPixel));
  return { start, stop, points: 2 * Math.ceil((stop - start) / bucket) };
}

/** What to fetch first: all of a short recording, the outline of a long one. */
export function outlineOf(count: number): Wanted {
  return { start: 0, stop: count, points: count <= OUTLINE_POINTS ? null : OUTLINE_POINTS };
}

/** Keep a view inside of the recording, without making it smaller than a few samples. */
export function clamped({ from, to }: View, count: number): View {
  const last = Math.max(1, count - 1);
  const span = Math.min(last, Math.max(to - from, Math.min(FEWEST_SAMPLES, last)));
  const start = Math.min(Math.max(0, from), last - span);
  return { from: start, to: start + span };
}

/** Make a view larger (`factor` over 1) or smaller around a place that stays where it is. */
export function zoomed({ from, to }: View, factor: number, around: number, count: number): View {
  return clamped({ from: around - (around - from) * factor, to: around + (to - around) * factor }, count);
}

/** Move a view by a part of its width. */
export function moved({ from, to }: View, part: number, count: number): View {
  const by = (to - from) * part;
  return clamped({ from: from + by, to: to + by }, count);
}
