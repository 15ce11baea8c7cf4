/** The samples of a live session on the side of whoever watches. */
import { extremesOf, type Extremes } from "../plot/numbers.ts";

/** A stretch of a session, as the server tells of it. */
export interface Stretch {
  readonly start: number;
  readonly count: number;
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
