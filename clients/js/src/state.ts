/** The state of the connection, as a program or its user may watch it. */
import { Listeners, type Unsubscribe } from "./callbacks.js";

export type ConnectionState = "connecting" | "connected" | "reconnecting" | "closed" | "failed";

const MOVES: Record<ConnectionState, readonly ConnectionState[]> = {
  connecting: ["connected", "closed", "failed"],
  connected: ["reconnecting", "closed", "failed"],
  reconnecting: ["connected", "closed", "failed"],
  closed: [],
  failed: ["closed"],
};

/** Holds the state, allows only legal moves, and tells everyone who watches. */
export class StateWatch {
  current: ConnectionState = "connecting";
  /** Why there is no connection, or why there was none last time, for people; null while there is one. */
  trouble: string | null = null;
  readonly #listeners = new Listeners<[ConnectionState]>();

  /** Whether nothing will come any more. */
  get ended(): boolean {
    return this.current === "closed" || this.current === "failed";
  }

  /** Change the state; moving to the present one changes nothing. */
  move(to: ConnectionState): void {
    if (to === this.current) return;
    if (!MOVES[this.current].includes(to)) throw new Error(`a connection cannot go from ${this.current} to ${to}`);
    this.current = to;
    this.#listeners.emit(to);
  }

  /** Note why there is no connection. */
  note(trouble: string | null): void {
    this.trouble = trouble;
    this.#listeners.emit(this.current);
  }

  /** Be told of each new state, and each new trouble. */
  watch(callback: (state: ConnectionState) => void): Unsubscribe {
    return this.#listeners.add(callback);
  }
}
