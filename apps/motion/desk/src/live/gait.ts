/** A generated gait: what the simulated sensor measures. */

/** The knee's bends over one stride from heel strike: how far in degrees, where in the stride, how wide. */
const BENDS: readonly (readonly [degrees: number, centre: number, width: number])[] = [
  [14, 0.14, 0.075],
  [58, 0.73, 0.095],
];
const STANDING = 4;

/** The flexion in degrees at a time in strides; `vigour` makes it larger or smaller. */
export function flexionAt(strides: number, vigour = 1): number {
  const phase = strides - Math.floor(strides);
  let flexion = STANDING;
  for (const [angle, centre, width] of BENDS) {
    // a bell near the end of one stride reaches into the next
    for (const turn of [-1, 0, 1]) flexion += vigour * angle * Math.exp(-0.5 * ((phase - centre - turn) / width) ** 2);
  }
  return flexion;
}

/** Samples of both knees, flexion negative as in OpenSim's gait models. */
export interface Samples {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

const STRIDES_A_SECOND = 0.92;
const LIMP = 0.94;
const NOISE = 0.3;

/**
 * Generate samples of somebody walking.
 * @param position The number of samples before these; the walk goes on from there.
 */
export function walk(position: number, count: number, sampleRate: number, random: () => number = Math.random): Samples {
  const left = new Float64Array(count);
  const right = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const strides = ((position + index) / sampleRate) * STRIDES_A_SECOND;
    const sway = 1 + 0.05 * Math.sin(strides * 0.9) + 0.03 * Math.sin(strides * 2.3);
    left[index] = -flexionAt(strides, sway) + NOISE * (random() - 0.5);
    right[index] = -flexionAt(strides + 0.5, sway * LIMP) + NOISE * (random() - 0.5);
  }
  return { left, right };
}
