/**
 * What is shown: the server's results, all of one instant, with optimistic updates on top.
 *
 * The server answers a mutation just after the transition with its effect. Between the two, an optimistic update would
 * be applied to a result that holds the effect already, and a row would flash up twice. So a transition that changes what
 * an unanswered mutation's update changes is held back, with everything after it, until the answer is there: it is a few
 * bytes behind. A limit keeps a slow mutation from holding up others' changes.
 */
import { report } from "./callbacks.js";
import type { Cancel, Clock } from "./clock.js";
import type { OptimisticUpdate, Overlay } from "./optimistic.js";
import type { Ts } from "./protocol/messages.js";
import { share } from "./protocol/sharing.js";
import type { LiveQuery, Outcome, QuerySet } from "./queries.js";
import type { Timeouts } from "./settings.js";

export class View {
  #updates: OptimisticUpdate[] = [];
  #overlay: Overlay = new Map();
  #afterwards: (() => void)[] = [];
  readonly #dirty = new Set<LiveQuery>();
  #ts: Ts | null = null;
  #answeredTs: Ts | null = null;
  #connected = false;
  #heldSince: number | null = null;
  #cancel: Cancel | undefined;

  constructor(
    readonly queries: QuerySet,
    readonly clock: Clock,
    readonly timeouts: Timeouts,
  ) {}

  // --- what the server says

  /** A query has a new outcome; it is shown with the transition that it belongs to. */
  mark(query: LiveQuery): void {
    this.#dirty.add(query);
  }

  /** All queries are as of `ts` now. */
  applied(ts: Ts): void {
    this.#ts = ts;
    this.look();
  }

  /** A mutation was answered; `then` is called when its effects are shown, and its optimistic update is gone with that. */
  answered(update: OptimisticUpdate | null, ts: Ts | null, then: () => void): void {
    if (update) update.answered = true;
    this.#answeredTs = ts;
    this.afterwards(then);
  }

  /** Call a function once everything that has come is shown. */
  afterwards(then: () => void): void {
    this.#afterwards.push(then);
    this.look();
  }

  // --- connections

  /** A server is there: what is held back is only so for a while from now on. */
  connected(): void {
    this.#connected = true;
    if (this.#heldSince !== null) this.#heldSince = this.clock.now();
    this.look();
  }

  /** The connection is gone: what is held back stays as it is shown, since answers come only after the next one. */
  disconnected(): void {
    this.#connected = false;
    this.#cancel?.();
    for (const update of this.#updates) update.retried ||= update.mayBeSeen;
  }

  /** A query is gone. */
  forget(query: LiveQuery): void {
    this.#dirty.delete(query);
    this.#overlay.delete(query);
  }

  /** Nothing will come any more. */
  close(): void {
    this.#cancel?.();
    this.#updates = [];
    this.#refresh([]);
  }

  // --- optimistic updates

  /** Show an update at once. What it throws goes to the caller, and nothing is changed. */
  add(update: OptimisticUpdate): void {
    update.run(this.queries, new Map(this.#overlay));
    this.#updates.push(update);
    this.#refresh([]);
  }

  /** Take an update away at once: its mutation failed, or nobody waits for it any more. */
  drop(update: OptimisticUpdate): void {
    const left = this.#updates.filter((other) => other !== update);
    if (left.length === this.#updates.length) return;
    this.#updates = left;
    this.#refresh([]);
    this.look();
  }

  // --- showing

  /** Show what has come, unless it is to be held back. */
  look(): void {
    const limit = this.#limit();
    const now = this.clock.now();
    const left = limit - (now - (this.#heldSince ?? now));
    this.#cancel?.();
    if (left <= 0) return this.#show();
    this.#heldSince ??= now;
    if (this.#connected) this.#cancel = this.clock.after(left, () => this.#show());
  }

  /** Tell how long what has come is to be held back, counted from when that began. */
  #limit(): number {
    if (this.#connected && this.queries.resuming) return this.timeouts.resume;
    // a connection's mutations run one after the other: at the ts of an answer, the later ones have not happened
    if (this.#ts === this.#answeredTs) return 0;
    const unclear = this.#updates.filter((update) => update.mayBeSeen && this.#touches(update));
    if (!unclear.length) return 0;
    return unclear.some((update) => update.retried) ? this.timeouts.settle * 10 : this.timeouts.settle;
  }

  #touches(update: OptimisticUpdate): boolean {
    for (const query of update.touched) if (this.#dirty.has(query)) return true;
    return false;
  }

  #show(): void {
    this.#heldSince = null;
    const changed = [...this.#dirty];
    this.#dirty.clear();
    for (const query of changed) query.base = query.newest;
    this.#updates = this.#updates.filter((update) => !update.answered);
    const afterwards = this.#afterwards;
    this.#afterwards = [];
    this.#refresh(changed);
    for (const then of afterwards) then();
  }

  /** Put the overlay on anew; everything is in place before anybody is told. */
  #refresh(changed: readonly LiveQuery[]): void {
    const before = this.#overlay;
    this.#overlay = this.#replay();
    const affected = new Set([...changed, ...before.keys(), ...this.#overlay.keys()]);
    const told = [...affected].filter((query) => this.#put(query));
    for (const query of told) query.watchers.emit();
  }

  #replay(): Overlay {
    const overlay: Overlay = new Map();
    for (const update of this.#updates) {
      try {
        update.run(this.queries, overlay);
      } catch (error) {
        report(error);
      }
    }
    return overlay;
  }

  /** Set what a query shows; tell whether that is something else. */
  #put(query: LiveQuery): boolean {
    const { shown } = query;
    const next = this.#overlay.has(query) ? covered(shown, this.#overlay.get(query)) : query.base;
    if (Object.is(shown.value, next.value) && shown.error === next.error) return false;
    query.shown = next;
    return true;
  }
}

function covered(shown: Outcome, value: unknown): Outcome {
  return { value: value === undefined ? value : share(shown.value, value), error: null };
}
