/** Optimistic updates: what a mutation is expected to do to the results of queries, until its answer is there. */
import type { ValueMap } from "./protocol/values.js";
import { queryKey, type LiveQuery, type QuerySet } from "./queries.js";
import type { ArgsOf, ResultOf } from "./references.js";
import type { Request } from "./requests.js";

/** The results of the queries that are subscribed to, to be read and changed by an optimistic update. */
export interface OptimisticStore {
  /** Give the result of a query; undefined while it is loading or when nobody subscribes to it. Do not change it: copy. */
  getQuery<F extends string>(path: F, args: ArgsOf<F>): ResultOf<F> | undefined;
  /** Set the result of a query (undefined: loading); nothing happens when nobody subscribes to it. */
  setQuery<F extends string>(path: F, args: ArgsOf<F>, value: ResultOf<F> | undefined): void;
  /** Give the arguments and results of all queries of one path that are subscribed to. */
  getAllQueries<F extends string>(path: F): { args: ArgsOf<F>; value: ResultOf<F> | undefined }[];
}

/** Called with the store and the mutation's arguments, again whenever what is below changes: without side effects. */
export type OptimisticCallback<Args> = (store: OptimisticStore, args: Args) => void;

/** Values that differ from those of the server. */
export type Overlay = Map<LiveQuery, unknown>;

/** One mutation's expectation. */
export class OptimisticUpdate {
  /** The queries that it changed when it ran last. */
  touched: ReadonlySet<LiveQuery> = new Set();
  /** Its mutation, once that has a number. */
  request: Request | null = null;
  /** The server has answered. */
  answered = false;
  /** The connection broke while it waited for the answer. */
  retried = false;

  constructor(readonly change: (store: OptimisticStore) => void) {}

  /** Whether what the server sends may already hold its effect. */
  get mayBeSeen(): boolean {
    return !this.answered && this.request !== null && this.request.tried;
  }

  /** Add what it changes to an overlay. What its callback throws changes nothing. */
  run(queries: QuerySet, overlay: Overlay): void {
    const scratch: Overlay = new Map();
    this.change(new LocalStore(queries, overlay, scratch));
    this.touched = new Set(scratch.keys());
    for (const [query, value] of scratch) overlay.set(query, value);
  }
}

class LocalStore implements OptimisticStore {
  readonly #queries: QuerySet;
  readonly #below: Overlay;
  readonly #changes: Overlay;

  constructor(queries: QuerySet, below: Overlay, changes: Overlay) {
    this.#queries = queries;
    this.#below = below;
    this.#changes = changes;
  }

  getQuery<F extends string>(path: F, args: ArgsOf<F>): ResultOf<F> | undefined {
    const query = this.#find(path, args);
    return query && (this.#value(query) as ResultOf<F>);
  }

  setQuery<F extends string>(path: F, args: ArgsOf<F>, value: ResultOf<F> | undefined): void {
    const query = this.#find(path, args);
    if (query) this.#changes.set(query, value);
  }

  getAllQueries<F extends string>(path: F): { args: ArgsOf<F>; value: ResultOf<F> | undefined }[] {
    const found = [...this.#queries.subscribed()].filter((query) => query.path === path);
    return found.map((query) => ({ args: query.args as ArgsOf<F>, value: this.#value(query) as ResultOf<F> }));
  }

  #find(path: string, args: unknown): LiveQuery | undefined {
    return this.#queries.find(queryKey(path, (args ?? {}) as ValueMap));
  }

  #value(query: LiveQuery): unknown {
    for (const overlay of [this.#changes, this.#below]) if (overlay.has(query)) return overlay.get(query);
    return query.base.value;
  }
}
