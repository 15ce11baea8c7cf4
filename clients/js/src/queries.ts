/** The desired query set: which queries are held, what is known of each, and what the server has not been told yet. */
import { Listeners } from "./callbacks.js";
import { FunctionError } from "./errors.js";
import { packCanonical } from "./protocol/pack.js";
import { eachRef, type ValueMap } from "./protocol/values.js";

/** The outcome of a query: a value (undefined: none yet), and why its newest run failed. */
export interface Outcome {
  readonly value: unknown;
  readonly error: FunctionError | null;
}

export const NOTHING: Outcome = { value: undefined, error: null };

/** One query: a path with arguments. A subscribed one is shared by all who hold it; one that is asked once is not. */
export class LiveQuery {
  /** How many hold it; with none left it is removed with the next flush. */
  holders = 0;
  /** What the server said last; kept while disconnected. */
  newest = NOTHING;
  /** What is shown as the server's, of one instant with all other queries. */
  base = NOTHING;
  /** What is shown: the base with optimistic updates on top. */
  shown = NOTHING;
  /** Whether this connection has given (or confirmed) the newest; not so just after a reconnect. */
  confirmed = false;
  /** What the one who asks once traces. */
  traceparent: string | null = null;
  /** Told of everything the server says of it, also that nothing has changed. */
  readonly heard = new Listeners();
  /** Told when `shown` is another. */
  readonly watchers = new Listeners();
  #digests: ReadonlySet<string> | undefined;

  /**
   * @param queryId Its number on the wire; never given twice by one client.
   * @param size About how many bytes it takes in a message.
   */
  constructor(
    readonly queryId: number,
    readonly key: string,
    readonly path: string,
    readonly args: ValueMap,
    readonly size: number,
  ) {}

  /** Take a new result. */
  succeed(value: unknown): void {
    this.newest = { value, error: null };
    this.#digests = undefined;
    this.confirmed = true;
  }

  /** Take an error; the last result stays to be looked at. */
  fail(error: FunctionError): void {
    this.newest = { value: this.newest.value, error };
    this.confirmed = true;
  }

  /** Whether an array is in the result. */
  shows(digest: string): boolean {
    return this.digests().has(digest);
  }

  /** Give the digests of all arrays in the result, in hexadecimal. */
  digests(): ReadonlySet<string> {
    if (!this.#digests) {
      const found = new Set<string>();
      eachRef(this.newest.value, (ref) => found.add(ref.key));
      this.#digests = found;
    }
    return this.#digests;
  }
}

/** All live queries of a client, and how they differ from what the present connection has been told. */
export class QuerySet {
  readonly #subscribed = new Map<string, LiveQuery>();
  readonly #unasked = new Map<string, LiveQuery>();
  readonly #byId = new Map<number, LiveQuery>();
  readonly #told = new Set<number>();
  readonly #refused = new Set<number>();
  #lastId = 0;
  #letGo = false;
  #untold = false;

  [Symbol.iterator](): Iterator<LiveQuery> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Give the queries that are subscribed to, but for those that are asked once. */
  subscribed(): Iterable<LiveQuery> {
    return this.#subscribed.values();
  }

  get(queryId: number): LiveQuery | undefined {
    return this.#byId.get(queryId);
  }

  /** Find a query that is subscribed to. */
  find(key: string): LiveQuery | undefined {
    return this.#subscribed.get(key);
  }

  /** Hold a query; equal path and arguments give the same one. */
  hold(path: string, args: ValueMap, key = queryKey(path, args)): LiveQuery {
    return this.#take(this.#subscribed, key, path, args);
  }

  /**
   * Hold a query that the server is yet to hear of, so that its answer is not older than this call.
   *
   * What is known already, from a subscription or an earlier call, is not used; only calls that have not been sent yet share
   * one question.
   */
  ask(path: string, args: ValueMap): LiveQuery {
    return this.#take(this.#unasked, queryKey(path, args), path, args);
  }

  #take(found: Map<string, LiveQuery>, key: string, path: string, args: ValueMap): LiveQuery {
    const query = found.get(key) ?? this.#add(key, path, args);
    found.set(key, query);
    query.holders += 1;
    return query;
  }

  /** Give up one hold. The query is removed by the next flush only: to release and hold it again costs nothing. */
  release(query: LiveQuery): void {
    query.holders -= 1;
    this.#letGo ||= query.holders <= 0;
  }

  #add(key: string, path: string, args: ValueMap): LiveQuery {
    this.#lastId += 1;
    const query = new LiveQuery(this.#lastId, key, path, args, key.length + 64);
    this.#byId.set(query.queryId, query);
    this.#untold = true;
    return query;
  }

  /** Drop and give the queries that nobody holds any more. */
  forgetReleased(): LiveQuery[] {
    if (!this.#letGo) return [];
    this.#letGo = false;
    const released = [...this].filter((query) => query.holders <= 0);
    for (const query of released) {
      this.#byId.delete(query.queryId);
      for (const shared of [this.#subscribed, this.#unasked]) if (shared.get(query.key) === query) shared.delete(query.key);
      this.#untold = true;
    }
    return released;
  }

  /**
   * Tell what to add to and remove from the server's set, and count it as told.
   * @param room How many bytes of added queries one message may carry; what does not fit comes with the next call.
   */
  difference(room: number): { added: LiveQuery[]; removed: number[] } {
    const gone = [...this.#told].filter((queryId) => !this.#byId.has(queryId));
    const added: LiveQuery[] = [];
    for (const query of this) {
      if (this.#told.has(query.queryId) || (added.length && query.size > room)) continue;
      added.push(query);
      room -= query.size;
      if (this.#unasked.get(query.key) === query) this.#unasked.delete(query.key);
    }
    for (const queryId of gone) this.#told.delete(queryId);
    for (const query of added) this.#told.add(query.queryId);
    this.#untold = this.#told.size !== this.#byId.size;
    return { added, removed: gone.filter((queryId) => !this.#refused.has(queryId)) };
  }

  /** A query just given by `difference` could not be sent: it fails, and the server never hears of it. */
  refuse(query: LiveQuery, error: FunctionError): void {
    this.#refused.add(query.queryId);
    query.fail(error);
  }

  /** Whether `difference` would give anything. */
  get untold(): boolean {
    return this.#untold;
  }

  /** Whether something is shown that this connection has not confirmed yet. */
  get resuming(): boolean {
    return [...this].some((query) => query.holders > 0 && !query.confirmed && query.base !== NOTHING);
  }

  /** The server has forgotten everything; results stay, and are no longer confirmed. */
  disconnected(): void {
    this.#told.clear();
    this.#refused.clear();
    this.#untold = this.#byId.size > 0;
    for (const query of this) query.confirmed = false;
  }
}

/** Give what makes two queries equal: the path and the arguments, whatever the order of their keys. */
export function queryKey(path: string, args: ValueMap): string {
  let key = `${path}\n`;
  for (const byte of packCanonical(args)) key += String.fromCharCode(byte);
  return key;
}
