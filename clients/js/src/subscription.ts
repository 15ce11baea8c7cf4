/** What a program holds of a live query. */
import type { Unsubscribe } from "./callbacks.js";
import type { ValueMap } from "./protocol/values.js";
import { NOTHING, queryKey, type Outcome } from "./queries.js";
import type { SyncState } from "./sync-state.js";

/** A query that is kept up to date while somebody listens. */
export class Subscription {
  /** Equal for equal path and arguments. */
  readonly key: string;
  readonly #sync: SyncState;

  constructor(
    sync: SyncState,
    readonly path: string,
    readonly args: ValueMap,
    key = queryKey(path, args),
  ) {
    this.#sync = sync;
    this.key = key;
  }

  /** What it shows now; the same object as long as nothing changes. */
  get current(): Outcome {
    return this.#sync.queries.find(this.key)?.shown ?? NOTHING;
  }

  /** Keep it up to date, and be told of each change, until the function that this gives is called. */
  listen(changed: () => void): Unsubscribe {
    const query = this.#sync.hold(this.path, this.args, this.key);
    const stop = query.watchers.add(changed);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      stop();
      this.#sync.release(query);
    };
  }
}
