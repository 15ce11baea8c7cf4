/** When to connect again: at once, when the server has said, or after a wait that grows with every failure. */
import type { Backoff } from "./backoff.js";

/** After an orderly stop, how long a server that cannot be reached is taken for one that is starting, in milliseconds. */
const RESTART = 15_000;
/** Milliseconds, whatever the server asks for: one that stops again and again, or asks for years, is wrong about that. */
const [LEAST_WAIT, LONGEST_WAIT] = [100, 300_000];
/** A client tries so many tokens in a row without a wait: the server's own, what renews it, and the program's twice. */
const TOKENS_AT_ONCE = 4;

/** Counts the failures in a row, and tells a server that was stopped from one that has failed. */
export class Reconnection {
  #failures = 0;
  #refusedTokens = 0;
  #restartingUntil = -Infinity;
  #spread = 0;

  constructor(
    readonly backoff: Backoff,
    readonly random: () => number,
  ) {}

  /** Give the wait after an orderly stop: the server has said it, at random for each client. */
  afterStop(now: number, retryAfter: number): number {
    this.#failures = this.#refusedTokens = 0;
    this.#restartingUntil = now + RESTART;
    const wait = Math.min(Math.max(LEAST_WAIT, retryAfter), LONGEST_WAIT);
    this.#spread = Math.max(this.backoff.initial, wait);
    return wait;
  }

  /** Give the wait before another token is tried: none, unless the server takes none of those that it has given. */
  afterRefusedToken(now: number, welcomedAt: number | null): number {
    return ++this.#refusedTokens <= TOKENS_AT_ONCE ? 0 : this.afterFailure(now, welcomedAt, 0);
  }

  /**
   * Give the wait after a connection that broke, or could not be made.
   * @param welcomedAt When the server had welcomed the client on it; null if it has not.
   * @param retryAfter What the server asks to wait at least; of one that did not let the client in, exactly.
   */
  afterFailure(now: number, welcomedAt: number | null, retryAfter: number): number {
    const asked = Math.min(retryAfter, LONGEST_WAIT);
    if (welcomedAt === null && asked > 0) return Math.max(LEAST_WAIT, asked);
    if (welcomedAt === null && now < this.#restartingUntil) return this.random() * this.#spread;
    if (welcomedAt !== null && now - welcomedAt >= this.backoff.stableAfter) this.#failures = this.#refusedTokens = 0;
    return Math.max(asked, this.backoff.delay(this.#failures++, this.random));
  }
}
