/** Holding back calls of which the server has refused some because there were too many at once. */
import type { Cancel, Clock } from "./clock.js";
import type { ErrorInfo } from "./protocol/errors.js";

/** Milliseconds; who is told to wait longer gives the error to the caller. */
export const LONGEST_WAIT = 60_000;
/** Milliseconds for which a call waits that a server has not run, also if it says that none are needed, and says so each time. */
export const LEAST_WAIT = 20;
const PLENTY = 64;

/** Says when calls may go again after `rate_limited`, and how many at once: one at first, then twice as many. */
export class Throttle {
  #atOnce = Infinity;
  #waiting: Cancel | null = null;
  readonly #later = new Set<Cancel>();

  /** @param ready Called when calls may go again. */
  constructor(
    readonly clock: Clock,
    readonly ready: () => void,
  ) {}

  /** Look at the answer to a call; tell whether it was not run and is to be sent again, when `admits` says so. */
  refused(error: ErrorInfo | null): boolean {
    const wait = timeToWait(error);
    if (wait === null) {
      this.#atOnce = this.#atOnce < PLENTY ? 2 * this.#atOnce : Infinity;
      return false;
    }
    this.#atOnce = 1;
    this.#waiting ??= this.clock.after(wait, () => {
      this.#waiting = null;
      this.ready();
    });
    return true;
  }

  /** Tell whether another call may go, with so many in flight already. */
  admits(inFlight: number): boolean {
    return !this.#waiting && inFlight < this.#atOnce;
  }

  /** Call something after a time, unless this is closed before. */
  after(wait: number, then: () => void): void {
    const cancel = this.clock.after(wait, () => this.#later.delete(cancel) && then());
    this.#later.add(cancel);
  }

  /** Stop waiting. */
  close(): void {
    for (const cancel of this.#later) cancel();
    this.#waiting?.();
  }
}

/** Give the milliseconds after which a call that has done nothing is to be made again; null: its error is to be told. */
export function timeToWait(error: ErrorInfo | null): number | null {
  const wait = error?.code === "rate_limited" ? retryAfter(error) : null;
  return wait === null || wait > LONGEST_WAIT ? null : Math.max(LEAST_WAIT, wait);
}

/** Give the milliseconds after which an error says to try again; null if it does not say. */
export function retryAfter({ data }: ErrorInfo): number | null {
  const seconds: unknown = (data as { retryAfter?: unknown } | null)?.retryAfter;
  return typeof seconds === "number" && seconds >= 0 ? seconds * 1000 : null;
}
