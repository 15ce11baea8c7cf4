/** How long to wait before connecting again. */

/**
 * Exponential backoff with full jitter: the wait before attempt n is anywhere between 0 and `initial * factor ** n`.
 *
 * Full jitter spreads a thousand clients that lost the same hub over the whole interval, where a fixed wait would bring
 * them back all at once.
 */
export class Backoff {
  /** Upper bound of the first wait, in milliseconds. */
  readonly initial: number = 500;
  /** Upper bound of every wait, in milliseconds: so long at most after a hub is there again its clients are, too. */
  readonly maximum: number = 10_000;
  /** Growth from one attempt to the next. */
  readonly factor: number = 2;
  /** A connection that lasted this many milliseconds starts the count over. */
  readonly stableAfter: number = 10_000;

  constructor(given: Partial<Pick<Backoff, "initial" | "maximum" | "factor" | "stableAfter">> = {}) {
    Object.assign(this, given);
  }

  /** Draw the wait before an attempt; `attempt` counts the failures in a row before it, `random` is in [0, 1). */
  delay(attempt: number, random: () => number): number {
    return random() * Math.min(this.maximum, this.initial * this.factor ** Math.min(attempt, 100));
  }
}
