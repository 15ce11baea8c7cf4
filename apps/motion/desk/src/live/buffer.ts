/** The samples of a live session on the side of whoever watches. */
import { extremesOf, type Extremes } from "../plot/numbers.ts";

/** A stretch of a session, as the server tells of it. */
export interface Stretch {
  readonly start: number;
  readonly count: number;
}

/** Samples that came with the news of a session, of both knees. */
export interface Batch {
  readonly start: number;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** Read the recent batches of a session: they lie behind its segments, each the left knee's samples and then the right one's. */
export function recentBatches(segments: readonly Stretch[], recent: readonly Uint8Array[]): Batch[] {
  const last = segments.at(-1);
  let end = last ? last.start + last.count : 0;
  return recent.map((bytes) => {
    const both = new Float64Array(bytes.slice().buffer); // a copy of its own: where the bytes lie they need not be aligned
    const start = end;
    end += both.length / 2;
    return { start, left: both.subarray(0, both.length / 2), right: both.subarray(both.length / 2) };
  });
}

const SMALL_BATCH = 128;

/** The samples of one batch as `live:append` takes them: a small one as `recent` has it, without an upload. */
export function batchOf(
  left: Float64Array,
  right: Float64Array,
): { samples: Uint8Array } | { leftKnee: Float64Array; rightKnee: Float64Array } {
  if (left.length > SMALL_BATCH) return { leftKnee: left, rightKnee: right };
  const both = new Float64Array(2 * left.length);
  both.set(left);
  both.set(right, left.length);
  return { samples: new Uint8Array(both.buffer) };
}

/** A part of a segment that is not here yet, counted from the segment's own first sample. */
export interface Missing<S> {
  readonly segment: S;
  readonly from: number;
  readonly to: number;
}

const ROOM = 4_096;

/** Holds samples `[begin, end)` of both knees, growing at the end. */
export class LiveBuffer {
  left = new Float64Array(ROOM);
  right = new Float64Array(ROOM);
  end: number;
  /** Of everything there has been, also before `begin`. */
  extremes: { left: Extremes | null; right: Extremes | null } = { left: null, right: null };

  /** @param begin The first sample that is kept: who comes late does not need what has scrolled out of sight. */
  constructor(readonly begin: number) {
    this.end = begin;
  }

  /** List what of these segments is missing, in order. Larger ones that replace smaller ones hold what is here already. */
  missing<S extends Stretch>(segments: readonly S[]): Missing<S>[] {
    return segments.flatMap((segment) => {
      const from = Math.max(0, this.end - segment.start);
      return from < segment.count ? [{ segment, from, to: segment.count }] : [];
    });
  }

  /** Add samples that begin at `end`; what is here already is passed over. False: there is a gap before them. */
  put(start: number, left: Float64Array, right: Float64Array): boolean {
    const known = this.end - start;
    if (known < 0) return false;
    if (known >= left.length) return true;
    this.#reserve(left.length - known);
    const at = this.end - this.begin;
    this.left.set(left.subarray(known), at);
    this.right.set(right.subarray(known), at);
    this.end = start + left.length;
    this.widen(extremesOf(left, known), extremesOf(right, known));
    return true;
  }

  /** Count samples that are not kept. */
  widen(left: Extremes | null, right: Extremes | null): void {
    this.extremes = { left: joined(this.extremes.left, left), right: joined(this.extremes.right, right) };
  }

  #reserve(more: number): void {
    const needed = this.end - this.begin + more;
    if (needed <= this.left.length) return;
    this.left = enlarged(this.left, needed * 2);
    this.right = enlarged(this.right, needed * 2);
  }
}

function enlarged(samples: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(samples);
  return larger;
}

function joined(one: Extremes | null, other: Extremes | null): Extremes | null {
  if (!one || !other) return one ?? other;
  return { min: Math.min(one.min, other.min), max: Math.max(one.max, other.max) };
}
