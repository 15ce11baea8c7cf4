/** The server's clock, as far as a client needs it: when tokens expire, and when a mutation was first sent. */
import type { Clock } from "./clock.js";
import { YEAR_10000 } from "./protocol/pack.js";

/** Knows the server's time from its welcome on, in milliseconds since 1970; whatever our own time of day is. */
export class ServerTime {
  #offset: number | null = null;

  constructor(readonly clock: Clock) {}

  /** Take what the server says its clock shows now; null when it does not say. */
  learn(serverTime: number | null): void {
    // a request that names a later time could not be sent again
    this.#offset = serverTime === null || serverTime >= YEAR_10000 ? null : serverTime - this.clock.now();
  }

  /** Give the server's time; null when it is not known. */
  now(): number | null {
    return this.#offset === null ? null : Math.round(this.clock.now() + this.#offset);
  }
}
