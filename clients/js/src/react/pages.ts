/**
 * A list that is read page by page: each page is a subscription of its own, and begins where the one before ends.
 *
 * The server keeps the ends of a page where they are while it is subscribed to. Should an end have moved all the same (after
 * a resynchronisation), the next page is asked for anew from there, so that there is neither a gap nor an overlap.
 */
import type { Unsubscribe } from "../callbacks.js";
import type { SynoviaClient } from "../client.js";
import type { SynoviaError } from "../errors.js";
import type { Outcome } from "../queries.js";
import type { Subscription } from "../subscription.js";

export type PageStatus = "LoadingFirstPage" | "CanLoadMore" | "LoadingMore" | "Exhausted";

/** What is shown of the pages. */
export interface PagesShown {
  readonly results: readonly unknown[];
  readonly status: PageStatus;
  readonly error: SynoviaError | null;
}

interface Page {
  readonly items: readonly unknown[];
  readonly nextCursor?: string | null;
}

interface Held {
  readonly watch: Subscription;
  readonly stop: Unsubscribe;
}

/** The pages of one list. */
export class Pages {
  readonly #client: SynoviaClient;
  readonly #path: string;
  readonly #args: object;
  readonly #sizeName: string;
  readonly #sizes: number[];
  #held: Held[] = [];
  #listeners = new Set<() => void>();
  #loaded: readonly Page[] = [];
  #shown: PagesShown = { results: [], status: "LoadingFirstPage", error: null };

  /** @param sizeName The argument that says how many items a page has when it is first read. */
  constructor(client: SynoviaClient, path: string, args: object, size: number, sizeName: string) {
    this.#client = client;
    this.#path = path;
    this.#args = args;
    this.#sizes = [size];
    this.#sizeName = sizeName;
  }

  get = (): PagesShown => this.#shown;

  listen = (changed: () => void): Unsubscribe => {
    this.#listeners.add(changed);
    if (this.#listeners.size === 1) this.#look();
    return () => {
      this.#listeners.delete(changed);
      if (!this.#listeners.size) this.#cut(0);
    };
  };

  /** Read another page, unless one is being read or there is none. */
  loadMore = (size = this.#sizes[0]!): void => {
    if (this.#shown.status !== "CanLoadMore") return;
    this.#sizes.push(size);
    this.#look();
  };

  /** Follow the pages from the first, asking for what is missing. */
  #look = (): void => {
    if (!this.#listeners.size) return;
    const loaded: Page[] = [];
    let cursor: string | null = null;
    let error: SynoviaError | null = null;
    do {
      const { value, error: failed }: Outcome = this.#page(loaded.length, cursor).current;
      error = failed;
      if (value === undefined || error) break;
      loaded.push(value as Page);
      cursor = (value as Page).nextCursor ?? null;
    } while (cursor !== null && loaded.length < this.#sizes.length);
    if (cursor === null && loaded.length) this.#cut(loaded.length);
    this.#show(loaded, error);
  };

  /** Give a page, held with this cursor. */
  #page(index: number, cursor: string | null): Subscription {
    const first = cursor === null ? {} : { cursor };
    const args = { ...this.#args, ...first, [this.#sizeName]: this.#sizes[index] };
    const watch = this.#client.watch(this.#path, args);
    const held = this.#held[index];
    if (held?.watch.key === watch.key) return held.watch;
    const stop = watch.listen(this.#look);
    held?.stop();
    this.#held[index] = { watch, stop };
    return watch;
  }

  /** Let go of all pages but the first `length`. */
  #cut(length: number): void {
    for (const { stop } of this.#held.splice(length)) stop();
    this.#sizes.splice(Math.max(1, length));
  }

  #show(loaded: readonly Page[], error: SynoviaError | null): void {
    const complete = loaded.length === this.#sizes.length;
    // a page in the middle that is being read anew: what was there before is shown until it is back
    const kept = !complete && loaded.length < this.#loaded.length ? this.#loaded : loaded;
    const same = kept.length === this.#loaded.length && kept.every((page, index) => page === this.#loaded[index]);
    const results = same ? this.#shown.results : kept.flatMap((page) => page.items);
    const status = !kept.length ? "LoadingFirstPage" : !complete ? "LoadingMore" : loaded.at(-1)!.nextCursor == null ? "Exhausted" : "CanLoadMore";
    this.#loaded = kept;
    if (results === this.#shown.results && status === this.#shown.status && error === this.#shown.error) return;
    this.#shown = { results, status, error };
    for (const listener of [...this.#listeners]) listener();
  }
}
