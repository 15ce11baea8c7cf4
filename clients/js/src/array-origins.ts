/** Which query last showed an array, so that it can still be fetched after that query was released. */
import type { LiveQuery, QuerySet } from "./queries.js";

type ArrayOrigin = Pick<LiveQuery, "path" | "args">;

/**
 * Remembers for the last `limit` arrays of dropped queries which query showed them.
 *
 * Queries that are still live are not in here: their present results are looked through when an array is asked for, and
 * only then, so that a list that changes often is not searched each time.
 */
export class ArrayOrigins {
  readonly #seen = new Map<string, ArrayOrigin>();

  constructor(readonly limit = 10_000) {}

  /** Remember which arrays a query showed when it was released; the oldest make room. */
  note(query: LiveQuery): void {
    for (const digest of query.digests()) {
      this.#seen.delete(digest);
      this.#seen.set(digest, query);
    }
    for (const digest of this.#seen.keys()) {
      if (this.#seen.size <= this.limit) break;
      this.#seen.delete(digest);
    }
  }

  /** Give a live query that shows the array, else the one that last did. */
  find(digest: string, queries: QuerySet): ArrayOrigin | undefined {
    for (const query of queries) if (query.shows(digest)) return query;
    return this.#seen.get(digest);
  }
}
