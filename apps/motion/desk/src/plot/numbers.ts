/** Range of motion: what a physiotherapist reads off a recording, in degrees with flexion positive. */

export interface Extremes {
  readonly min: number;
  readonly max: number;
}

export interface KneeNumbers {
  /** The largest flexion. */
  readonly flexion: number;
  /** The furthest extension: the least flexion, negative when the knee is overstretched. */
  readonly extension: number;
  readonly range: number;
}

/** Find the least and the largest; samples that are no number count for nothing. null: there is none. */
export function extremesOf(samples: ArrayLike<number>, from = 0, to = samples.length): Extremes | null {
  let min = Infinity;
  let max = -Infinity;
  for (let index = from; index < to; index += 1) {
    const value = samples[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : null;
}

/**
 * Tell which sign flexion has: OpenSim's gait models bend the knee negatively, many others positively.
 * A knee bends by far more than it overstretches, so the longer side is flexion.
 */
export function flexionSign(...knees: readonly (Extremes | null)[]): 1 | -1 {
  const min = Math.min(0, ...knees.map((knee) => knee?.min ?? 0));
  const max = Math.max(0, ...knees.map((knee) => knee?.max ?? 0));
  return -min > max ? -1 : 1;
}

/** Read the numbers of a knee off its extremes. */
export function kneeNumbers({ min, max }: Extremes, sign: 1 | -1): KneeNumbers {
  return { flexion: sign > 0 ? max : -min, extension: sign > 0 ? min : -max, range: max - min };
}

/** The limb symmetry index: what part of the better knee's range the other one reaches. null: neither moves. */
export function symmetry(left: KneeNumbers, right: KneeNumbers): number | null {
  const better = Math.max(left.range, right.range);
  return better > 0 ? Math.min(left.range, right.range) / better : null;
}
