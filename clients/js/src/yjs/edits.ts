/** What is changed here and is not the server's yet: gathered while something is on its way, sent in order, never lost. */
import * as Y from "yjs";
import { report } from "../callbacks.js";
import { ClientClosed, SynoviaError } from "../errors.js";

/** Milliseconds at least between two updates that are sent: what is typed meanwhile goes together. */
const PAUSE = 50;
/** What was refused is tried again once something else is changed, but not sooner than so many milliseconds after. */
const PATIENCE = 2000;

export class Edits {
  /** Told when `saved` or `error` may be another. */
  changed: () => void = () => undefined;
  /** Told why an update was not taken. */
  refused: (error: SynoviaError) => void = () => undefined;
  /** Asked for the server's document anew: what was refused may have shrunk since. */
  outdated: () => void = () => undefined;
  /** Why the last update was not taken; null if it was. */
  error: SynoviaError | null = null;
  #updates: Uint8Array[] = [];
  #inFlight = false;
  /** The server's document is known, so that what is changed from now on is all that it lacks. */
  #isOpen = false;
  #sentAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #round = 0;
  readonly #update = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this.origin) this.#add(update);
  };

  constructor(
    readonly doc: Y.Doc,
    readonly origin: unknown,
    readonly send: (update: Uint8Array) => Promise<unknown>,
  ) {
    doc.on("update", this.#update);
  }

  /** Whether the server has everything. */
  get saved(): boolean {
    return !this.#updates.length && !this.#inFlight;
  }

  /** Take what the server has, and find out what it lacks of this document. */
  open(updates: readonly Uint8Array[]): void {
    const theirs = new Y.Doc();
    let lacking: Uint8Array[] = [];
    try {
      for (const update of updates) Y.applyUpdate(theirs, update);
      theirs.on("update", (update: Uint8Array) => lacking.push(update));
      Y.applyUpdate(theirs, Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(theirs)));
    } finally {
      theirs.destroy();
    }
    this.apply(updates);
    this.#round++;
    this.#inFlight = false;
    this.#updates = lacking;
    this.#isOpen = true;
    this.error = null;
    this.#flush();
  }

  /** Take what others have changed. */
  apply(updates: readonly Uint8Array[]): void {
    try {
      if (updates.length) Y.applyUpdate(this.doc, updates.length === 1 ? updates[0]! : Y.mergeUpdates([...updates]), this.origin);
    } catch (error) {
      report(error); // an editor that cannot show it
    }
  }

  /** Send nothing until the server's document is known again. */
  hold(): void {
    this.#isOpen = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.hold();
    this.#round++;
    this.doc.off("update", this.#update);
  }

  #add(update: Uint8Array): void {
    this.#updates.push(update);
    if (this.error && this.#isOpen) this.#later(PATIENCE, () => this.outdated());
    else this.#flush();
    this.changed();
  }

  #flush(): void {
    if (!this.#isOpen || this.#inFlight || this.#timer !== null || !this.#updates.length || this.error) return;
    if (performance.now() - this.#sentAt >= PAUSE) return void this.#go();
    this.#later(PAUSE, () => this.#flush());
  }

  /** Do something so many milliseconds after an update was sent. */
  #later(wait: number, then: () => void): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        then();
      },
      Math.max(0, this.#sentAt + wait - performance.now()),
    );
  }

  async #go(): Promise<void> {
    const round = this.#round;
    const sent = this.#updates;
    this.#updates = [];
    this.#inFlight = true;
    this.#sentAt = performance.now();
    try {
      await this.send(sent.length === 1 ? sent[0]! : Y.mergeUpdates(sent));
      if (round !== this.#round) return;
      this.#inFlight = false;
    } catch (error) {
      if (round !== this.#round) return;
      this.#inFlight = false;
      this.#updates = [...sent, ...this.#updates];
      if (error instanceof ClientClosed || !(error instanceof SynoviaError)) return error instanceof ClientClosed ? undefined : report(error);
      this.error = error;
      this.refused(error);
    }
    this.#flush();
    this.changed();
  }
}
