/** When to connect again: at once, when the server has said, or after a wait that grows with every failure. */
import type { Backoff } from "./backoff.js";

/** After an orderly stop, how long a server that cannot be reached is taken for one that is starting, in milliseconds. */
const RESTART = 15_000;

/** Counts the failures in a row, and tells a server that was stopped from one that has failed. */
export class Reconnection {
  #failures = 0;
  #restartingUntil = -Infinity;
  #spread = 0;

  constructor(
    readonly backoff: Backoff,
    readonly random: () => number,
  ) {}

  /** Give the wait after an orderly stop: the server has said it, at random for each client. */
  afterStop(now: number, retryAfter: number): number {
    this.#failures = 0;
    this.#restartingUntil = now + RESTART;
    this.#spread = Math.max(this.backoff.initial, retryAfter);
    return retryAfter;
  }

  /**
   * Give the wait after a connection that broke, or could not be made.
   * @param welcomedAt When the server had welcomed the client on it; null if it has not.
   * @param retryAfter What the server asks to wait at least; of one that did not let the client in, exactly.
   */
  afterFailure(now: number, welcomedAt: number | null, retryAfter: number): number {
    if (welcomedAt === null && retryAfter > 0) return retryAfter;
    if (welcomedAt === null && now < this.#restartingUntil) return this.random() * this.#spread;
    if (welcomedAt !== null && now - welcomedAt >= this.backoff.stableAfter) this.#failures = 0;
    return Math.max(retryAfter, this.backoff.delay(this.#failures++, this.random));
  }
}
