/** A document of Yjs that is kept the same for all who have it open, by a query and a mutation of the application. */
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { callSafely, report, type Unsubscribe } from "../callbacks.js";
import type { SynoviaClient } from "../client.js";
import { ClientClosed, FunctionError, SynoviaError } from "../errors.js";
import type { Who } from "./awareness.js";
import { AwarenessRoom } from "./awareness.js";
import { Edits } from "./edits.js";

/** What a query gives that returns `ctx.shared.changes(...)`. */
export interface SharedChanges {
  readonly segment: number;
  readonly states?: readonly Uint8Array[] | null;
  readonly updates: Readonly<Record<string, Uint8Array>>;
  readonly next?: number | null;
  readonly gone?: boolean;
}

export interface SharedDocOptions {
  /** The path of the query that returns `ctx.shared.changes(doc, ..., since)`; it takes `since` beside `args`. */
  readonly query: string;
  /** The path of the mutation that calls `ctx.shared.append(doc, ..., update)`; it takes `update` beside `args`. */
  readonly mutation: string;
  /** The arguments that say which document it is. */
  readonly args?: object;
  /** The path of a presence query, by which the others see where one is; it takes `args`. */
  readonly presence?: string;
  /** What carets are shown with, made of what the presence query says of somebody; without it, everybody says that of themselves. */
  readonly user?: Who;
  /** An awareness that is there already. */
  readonly awareness?: Awareness;
  /** Wait for `connect()`. */
  readonly connect?: boolean;
}

export interface SharedDocEvents {
  /** Whether the document is what the server has, but for changes that are on their way. */
  sync: (synced: boolean) => void;
  /** The same. */
  synced: (synced: boolean) => void;
  /** Whether everything that was typed here is kept by the server. */
  saved: (saved: boolean) => void;
  /** Why the document cannot be read or changed; null: it can again. */
  error: (error: SynoviaError | null) => void;
}

type EventName = keyof SharedDocEvents;

/** Milliseconds after which what has failed, and may pass, is tried again. */
const RETRY = 2000;
const OF_THE_CALLER = ["unauthenticated", "forbidden", "not_found"];
const LASTING = [...OF_THE_CALLER, "invalid_update", "shared_doc_too_large", "too_large", "invalid_arguments", "unknown_function", "wrong_kind"];

/**
 * Keeps a `Y.Doc` and the server's document the same, also after a time without connection, and shows who is where.
 *
 * Changes of others are applied with the provider as their origin, so undo managers leave them alone.
 */
export class SharedDocProvider {
  readonly awareness: Awareness;
  readonly #listeners = new Map<EventName, Set<(value: never) => void>>();
  readonly #options: SharedDocOptions;
  readonly #edits: Edits;
  readonly #room: AwarenessRoom | null;
  readonly #seen = new Set<string>();
  readonly #forget: Unsubscribe[] = [];
  #abort: AbortController | null = null;
  #follow: Unsubscribe | null = null;
  #waiting: ReturnType<typeof setTimeout> | null = null;
  #reading: SynoviaError | null = null;
  #synced = false;
  #saved = true;
  #error: SynoviaError | null = null;
  #destroyed = false;

  constructor(
    readonly client: SynoviaClient,
    readonly doc: Y.Doc,
    options: SharedDocOptions,
  ) {
    this.#options = options;
    this.awareness = options.awareness ?? new Awareness(doc);
    this.#edits = new Edits(doc, this, (update) => client.mutation<string>(options.mutation, { ...this.#args, update } as never, { timeout: null }));
    this.#edits.changed = () => this.#look();
    this.#edits.refused = (error) => this.#refused(error);
    this.#edits.outdated = () => void this.#open();
    const { presence } = options;
    this.#room = presence === undefined ? null : new AwarenessRoom(client, this.awareness, presence, this.#args, options.user);
    this.#forget.push(client.onAuthChange(() => this.#identified()), client.onStateChange(() => this.#look()));
    const destroyed = (): void => this.destroy();
    doc.on("destroy", destroyed);
    this.#forget.push(() => doc.off("destroy", destroyed));
    if (options.connect !== false) this.connect();
  }

  get #args(): object {
    return this.#options.args ?? {};
  }

  /** Whether the document is what the server has, but for changes that are on their way. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Whether everything that was typed here is kept by the server. */
  get saved(): boolean {
    return this.#saved;
  }

  /** Why the document cannot be read or changed; null if it can. */
  get error(): SynoviaError | null {
    return this.#error;
  }

  on<E extends EventName>(event: E, callback: SharedDocEvents[E]): void {
    const found = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, found.add(callback));
  }

  off<E extends EventName>(event: E, callback: SharedDocEvents[E]): void {
    this.#listeners.get(event)?.delete(callback);
  }

  once<E extends EventName>(event: E, callback: SharedDocEvents[E]): void {
    const first = ((value: never) => {
      this.off(event, first);
      (callback as (value: never) => void)(value);
    }) as SharedDocEvents[E];
    this.on(event, first);
  }

  /** Wait until the document is what the server has. What keeps it from that is thrown. */
  whenSynced(): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.off("sync", look);
        this.off("error", look);
        settle();
      };
      const look = (): void => {
        if (this.#synced) end(resolve);
        else if (this.#error) end(() => reject(this.#error as Error));
        else if (this.#destroyed) end(() => reject(new ClientClosed("the provider is destroyed")));
      };
      this.on("sync", look);
      this.on("error", look);
      look();
    });
  }

  /** Follow the document, after `disconnect()` or `connect: false`. */
  connect(): void {
    if (this.#destroyed || this.#abort) return;
    this.#abort = new AbortController();
    this.#room?.enter();
    void this.#open();
  }

  /** Stop following the document and showing oneself; what is typed here waits. */
  disconnect(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#stop();
    this.#edits.hold();
    this.#room?.leave();
    this.#look();
  }

  /** End it; the document stays as it is. */
  destroy(): void {
    if (this.#destroyed) return;
    this.disconnect();
    this.#destroyed = true;
    this.#edits.close();
    this.#room?.close();
    if (!this.#options.awareness) this.awareness.destroy();
    for (const forget of this.#forget) forget();
    this.#emit("sync", false);
    this.#listeners.clear();
  }

  #stop(): void {
    this.#follow?.();
    this.#follow = null;
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
  }

  /** Fetch the whole document, find out what it lacks of this one, and follow it from there. */
  async #open(): Promise<void> {
    const abort = this.#abort;
    if (!abort) return;
    this.#stop();
    this.#edits.hold();
    this.#look();
    try {
      const found = (await this.client.query<string>(this.#options.query, this.#args as never, { timeout: null, signal: abort.signal })) as SharedChanges;
      if (this.#abort !== abort) return;
      this.#reading = null;
      const updates = [...(found.states ?? []), ...Object.values(found.updates)];
      this.#seen.clear();
      for (const key of Object.keys(found.updates)) this.#seen.add(key);
      this.#edits.open(updates);
      this.#followFrom(found.segment);
    } catch (error) {
      if (this.#abort === abort && !abort.signal.aborted) this.#unread(error);
    }
    this.#look();
  }

  #unread(error: unknown): void {
    if (error instanceof ClientClosed) return;
    if (!(error instanceof SynoviaError)) return report(error);
    this.#reading = error;
    if (!(error instanceof FunctionError)) return;
    // who may read it again is told so by the query; what is wrong for a moment is tried again
    if (OF_THE_CALLER.includes(error.code)) this.#follow = this.#watch(0, () => void this.#open());
    else if (!LASTING.includes(error.code)) this.#again();
  }

  #watch(since: number, told: (changes: SharedChanges) => void): Unsubscribe {
    const failed = (error: SynoviaError): void => {
      this.#reading = error;
      this.#look();
    };
    return this.client.onUpdate<string>(this.#options.query, { ...this.#args, since } as never, (changes) => told(changes as SharedChanges), failed);
  }

  #followFrom(segment: number): void {
    const before = this.#follow;
    this.#follow = this.#watch(segment, (changes) => this.#take(changes));
    before?.();
  }

  #take(changes: SharedChanges): void {
    const wasUnreadable = this.#reading !== null;
    this.#reading = null;
    if (changes.gone || wasUnreadable) return void this.#open();
    const updates = Object.entries(changes.updates).filter(([key]) => !this.#seen.has(key));
    for (const [key] of updates) this.#seen.add(key);
    if (updates.length) this.#edits.apply(updates.map(([, update]) => update));
    if (typeof changes.next === "number") {
      this.#seen.clear();
      this.#followFrom(changes.next);
    }
    this.#look();
  }

  #refused(error: SynoviaError): void {
    if (error instanceof FunctionError && !LASTING.includes(error.code)) this.#again();
    this.#look();
  }

  #again(): void {
    this.#waiting ??= setTimeout(() => {
      this.#waiting = null;
      void this.#open();
    }, RETRY);
  }

  #identified(): void {
    if (!this.client.auth.isLoading && this.#abort && this.#error) void this.#open();
  }

  /** Tell what is another than before. */
  #look(): void {
    const error = this.#reading ?? this.#edits.error;
    const synced = this.#follow !== null && this.#reading === null && this.client.state === "connected";
    if (error !== this.#error) this.#emit("error", (this.#error = error));
    if (this.#edits.saved !== this.#saved) this.#emit("saved", (this.#saved = this.#edits.saved));
    if (synced === this.#synced) return;
    this.#synced = synced;
    this.#emit("sync", synced);
    this.#emit("synced", synced);
  }

  #emit<E extends EventName>(event: E, ...value: Parameters<SharedDocEvents[E]>): void {
    for (const callback of [...(this.#listeners.get(event) ?? [])]) callSafely(callback as (...args: unknown[]) => void, ...value);
  }
}
