/** A clock that the test moves. */
import type { Cancel, Clock } from "../src/clock.js";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #now = 1_000;
  #timers: Timer[] = [];
  /** Added to `now` for the time of day. */
  epoch = 1_700_000_000_000;

  now(): number {
    return this.#now;
  }

  date(): number {
    return this.epoch + this.#now;
  }

  after(milliseconds: number, run: () => void): Cancel {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Move on, calling what is due on the way, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}
