/** Time, as something that can be handed in: tests move their own clock instead of sleeping. */

export type Cancel = () => void;

export interface Clock {
  /** Milliseconds on a monotonic scale. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** Call a function once after some milliseconds, unless cancelled. */
  after(milliseconds: number, run: () => void): Cancel;
}

/** In milliseconds, 24 days; a longer timer of browsers and of Node fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, Math.min(milliseconds, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
};

/** A time limit that starts over whenever there is progress. */
export class Deadline {
  #cancel: Cancel | undefined;

  /** @param milliseconds null: no limit. */
  constructor(
    readonly clock: Clock,
    readonly milliseconds: number | null,
    readonly expired: () => void,
  ) {
    this.extend();
  }

  extend(): void {
    this.stop();
    if (this.milliseconds !== null) this.#cancel = this.clock.after(this.milliseconds, this.expired);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** Wait for a promise only so long; then fail with the error. */
export async function within<T>(clock: Clock, milliseconds: number, promise: Promise<T>, error: () => Error): Promise<T> {
  let cancel: Cancel = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(milliseconds, () => reject(error()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
