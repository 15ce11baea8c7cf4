/**
 * Moves evenly behind samples that come in batches.
 *
 * It keeps a little behind the newest sample, runs a bit faster when it falls back and slower when it catches up, so that the
 * picture neither jerks nor stops between two batches.
 */
export const BEHIND_S = 0.4;
const FAR_S = 2.5;
const EAGERNESS = 1.2;
const FASTEST = 3;

export class Playhead {
  at: number;

  constructor(newest: number) {
    this.at = Math.max(0, newest - BEHIND_S);
  }

  /**
   * Move on.
   * @param newest The time of the newest sample.
   * @param passed Since the last move; both in seconds.
   */
  move(newest: number, passed: number): number {
    const behind = newest - this.at;
    if (behind > FAR_S) this.at = newest - BEHIND_S;
    else this.at += passed * Math.min(FASTEST, Math.max(0, 1 + (behind - BEHIND_S) * EAGERNESS));
    this.at = Math.min(newest, this.at);
    return this.at;
  }
}
