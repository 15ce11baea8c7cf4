/** What a program holds of a live query. */
import type { Unsubscribe } from "./callbacks.js";
import type { ValueMap } from "./protocol/values.js";
import { NOTHING, queryKey, type Outcome } from "./queries.js";
import type { Work } from "./work.js";

/** A query that is kept up to date while somebody listens. */
export class Watch {
  /** Equal for equal path and arguments. */
  readonly key: string;
  readonly #work: Work;

  constructor(
    work: Work,
    readonly path: string,
    readonly args: ValueMap,
    key = queryKey(path, args),
  ) {
    this.#work = work;
    this.key = key;
  }

  /** What it shows now; the same object as long as nothing changes. */
  get current(): Outcome {
    return this.#work.queries.find(this.key)?.shown ?? NOTHING;
  }

  /** Keep it up to date, and be told of each change, until the function that this gives is called. */
  listen(changed: () => void): Unsubscribe {
    const query = this.#work.hold(this.path, this.args, this.key);
    const stop = query.watchers.add(changed);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      stop();
      this.#work.release(query);
    };
  }
}
