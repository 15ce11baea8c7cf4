/**
 * Mutations that have no answer yet, kept where a reload of the page does not reach them.
 *
 * Every client has a session of its own. What an earlier one left behind is sent again under that one's session and
 * numbers, so that the server runs it once, however many pages find it.
 */
import { checked } from "./arguments.js";
import { callSafely, report } from "./callbacks.js";
import { within, type Clock } from "./clock.js";
import { ClientClosed, FunctionError, SynoviaError } from "./errors.js";
import { pack } from "./protocol/pack.js";
import { unpack } from "./protocol/unpack.js";
import { hex, type ArrayRef, type ValueMap } from "./protocol/values.js";
import type { Request } from "./requests.js";
import type { Named } from "./uploads.js";

/** How long the storage may take, in milliseconds. */
const PATIENCE = 5_000;

type Maybe<T> = T | Promise<T>;

/** Where an outbox keeps its mutations: bytes by key. */
export interface OutboxStorage {
  keys(): Maybe<readonly string[]>;
  get(key: string): Maybe<Uint8Array | null>;
  set(key: string, bytes: Uint8Array): Maybe<void>;
  remove(key: string): Maybe<void>;
}

/** The outcome of a mutation that nobody waits for: one that an earlier page had left, or whose caller has given up. */
export interface Recovered {
  readonly path: string;
  readonly args: ValueMap;
  readonly result?: unknown;
  readonly error?: Error;
}

export interface OutboxOptions {
  /** Pages with the same name, in the same storage, send each other's leftovers: a name for each user, where there are several. */
  readonly name: string;
  /** By default the browser's localStorage, which holds about 5 MB; `indexedDbOutbox()` holds arrays too. */
  readonly storage?: OutboxStorage;
  /** Called with the outcome of each mutation that nobody waits for. */
  readonly onRecovered?: (outcome: Recovered) => void;
}

/** A mutation as it is kept. */
export interface Leftover {
  readonly requestId: number;
  readonly path: string;
  readonly args: ValueMap;
  /** When it may have been sent first, in milliseconds since 1970 by the server's clock; null: it has not been sent. */
  readonly sentAt: number | null;
  /** It was made as somebody. */
  readonly signedIn: boolean;
  readonly arrays: readonly Named[];
}

export class Outbox {
  readonly #onRecovered: ((outcome: Recovered) => void) | undefined;
  readonly #storage: OutboxStorage;
  readonly #prefix: string;
  /** The session of this page. */
  readonly own: string;

  /** @param clock Limits how long the storage may take; a browser's may hang. */
  constructor({ name, storage = localStorageOutbox(), onRecovered }: OutboxOptions, sessionId: Uint8Array, readonly clock: Clock) {
    this.#storage = storage;
    this.#onRecovered = onRecovered;
    this.#prefix = `synovia:${name}:`;
    this.own = hex(sessionId);
    void this.claim(this.own, () => new Promise(() => undefined)); // as long as this page lives
  }

  /** Keep a mutation. */
  save(session: string, request: Request, sentAt: number | null): Promise<void> {
    return this.#soon((async () => this.#storage.set(this.#key(session, request.requestId), packed(request, sentAt)))());
  }

  #soon<T>(promise: Promise<T>): Promise<T> {
    return within(this.clock, PATIENCE, promise, () => new SynoviaError("the storage of the outbox does not answer"));
  }

  /** Tell of a mutation's outcome once it is there; it stays where it is kept if the client is closed before. */
  async follow({ path, args, answer }: Request): Promise<void> {
    try {
      const result = await answer.promise;
      callSafely(this.#onRecovered, { path, args, result });
    } catch (error) {
      if (!(error instanceof ClientClosed)) callSafely(this.#onRecovered, { path, args, error: error as Error });
    }
  }

  /** Forget a mutation: it was answered. */
  remove(requestId: number, session = this.own): void {
    (async () => this.#storage.remove(this.#key(session, requestId)))().catch(report);
  }

  #key(session: string, requestId: number): string {
    return `${this.#prefix}${session}:${requestId}`;
  }

  /** Give what other sessions have left, by session, in the order of the calls; what cannot be sent is told and forgotten. */
  leftovers(): Promise<Map<string, Leftover[]>> {
    return this.#soon(this.#leftovers());
  }

  async #leftovers(): Promise<Map<string, Leftover[]>> {
    const found = new Map<string, Leftover[]>();
    for (const key of await this.#storage.keys()) {
      const [session, number] = key.slice(this.#prefix.length).split(":");
      if (!key.startsWith(this.#prefix) || !session || !number || session === this.own) continue;
      const bytes = await this.#storage.get(key);
      const left = bytes && this.#read(session, Number(number), bytes);
      if (left) found.set(session, [...(found.get(session) ?? []), left]);
    }
    for (const left of found.values()) left.sort((a, b) => a.requestId - b.requestId);
    return found;
  }

  #read(session: string, requestId: number, bytes: Uint8Array): Leftover | null {
    let path = "";
    let args: ValueMap = {};
    try {
      const [, packed, sentAt, signedIn, arrays] = ([path] = unpack(bytes) as Packed);
      args = unpack(packed) as ValueMap;
      checked(path, args);
      return { requestId, path, args, sentAt, signedIn, arrays: arrays.map(([ref, raw]) => ({ ref, raw })) };
    } catch (error) {
      const text = `what the outbox held cannot be sent: ${(error as Error).message}`;
      this.giveUp(session, { requestId, path, args }, new FunctionError("invalid_arguments", text));
      return null;
    }
  }

  /** Forget a mutation that cannot be sent, and tell of it. */
  giveUp(session: string, { requestId, path, args }: Pick<Leftover, "requestId" | "path" | "args">, error: Error): void {
    this.remove(requestId, session);
    callSafely(this.#onRecovered, { path, args, error });
  }

  /** Do something about a session unless another page that lives does: where the browser cannot tell, both do. */
  async claim(session: string, run: () => Promise<void>): Promise<void> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (!locks) return run();
    await locks.request(`${this.#prefix}${session}`, { ifAvailable: true }, (lock) => (lock ? run() : undefined));
  }
}

/** The first format has the time of the call, by the page's own clock, in place of `sentAt`: it may have been sent then. */
const FORMAT = 2;
type Packed = [path: string, args: Uint8Array, sentAt: number | null, signedIn: boolean, arrays: [ArrayRef, Uint8Array][], format?: number];

function packed({ path, args, upload, needsSignIn }: Request, sentAt: number | null): Uint8Array {
  const arrays = (upload?.arrays ?? []).map(({ ref, raw }): [ArrayRef, Uint8Array] => [ref, raw]);
  return pack([path, pack(args), sentAt, needsSignIn !== false, arrays, FORMAT] satisfies Packed);
}

/** Keep an outbox in the browser's localStorage. */
export function localStorageOutbox(storage: Storage | undefined = globalThis.localStorage): OutboxStorage {
  if (!storage) throw new TypeError("there is no localStorage here: pass another storage for the outbox");
  return {
    keys: () => Object.keys(storage),
    get: (key) => {
      const text = storage.getItem(key);
      return text === null ? null : Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
    },
    set: (key, bytes) => storage.setItem(key, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))),
    remove: (key) => storage.removeItem(key),
  };
}

/** Keep an outbox in IndexedDB, which has room for arrays. */
export function indexedDbOutbox(database = "synovia"): OutboxStorage {
  const opened = new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("outbox");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
  const run = async <T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const transaction = (await opened).transaction("outbox", mode);
    const request = ask(transaction.objectStore("outbox"));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error as Error);
    });
  };
  return {
    keys: async () => (await run("readonly", (store) => store.getAllKeys())).map(String),
    get: async (key) => ((await run("readonly", (store) => store.get(key))) as Uint8Array | undefined) ?? null,
    set: async (key, bytes) => void (await run("readwrite", (store) => store.put(bytes, key))),
    remove: async (key) => void (await run("readwrite", (store) => store.delete(key))),
  };
}
