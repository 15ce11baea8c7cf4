/** The loop that keeps a connection up: dial, speak, find out why it ended, wait, dial again. */
import type { Backoff } from "./backoff.js";
import type { Cancel, Clock } from "./clock.js";
import type { Credentials } from "./credentials.js";
import type { Dialer, Socket } from "./dialer.js";
import { Link, type Ending } from "./link.js";
import { ClientSession } from "./protocol/client-session.js";
import type { ErrorInfo } from "./protocol/errors.js";
import { Reconnection } from "./reconnection.js";
import type { Timeouts } from "./settings.js";
import type { StateWatch } from "./state.js";
import type { SyncState } from "./sync-state.js";

/** What the loop is made of. */
export interface LoopParts {
  readonly dialer: Dialer;
  readonly sessionId: Uint8Array;
  readonly sync: SyncState;
  readonly credentials: Credentials;
  readonly state: StateWatch;
  readonly backoff: Backoff;
  readonly random: () => number;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  /** Called when the server has refused for good. */
  readonly failed: (error: ErrorInfo) => void;
}

/** One connection after the other, until the server refuses for good. */
export class ConnectionLoop {
  /** The present connection, if there is one. */
  link: Link | null = null;
  readonly #parts: LoopParts;
  #session: ClientSession;
  readonly #reconnection: Reconnection;
  #welcomedAt: number | null = null;
  #giveUp: Cancel | null = null;
  #waiting = false;
  #stopped = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#reconnection = new Reconnection(parts.backoff, parts.random);
    this.#session = new ClientSession(parts.sessionId);
  }

  /** Dial. */
  start(): void {
    if (this.#stopped) return;
    this.#waiting = false;
    this.#welcomedAt = null;
    this.#giveUp = this.#parts.dialer.dial(
      (socket) => this.#serve(socket),
      (reason) => this.#again({ reason }),
    );
  }

  /** End for good. */
  stop(): void {
    this.#stopped = true;
    this.#giveUp?.();
    this.link?.end({ reason: "the client is closing" });
  }

  /** The network is back, or the page is: do not wait any longer, and look whether the connection still stands. */
  hurry(): void {
    this.link?.check();
    if (!this.#waiting) return;
    this.#giveUp?.();
    this.start();
  }

  #serve(socket: Socket): void {
    this.#giveUp = null;
    const { sync, credentials, timeouts, clock } = this.#parts;
    const link = new Link({
      socket, session: this.#session, sync, credentials, timeouts, clock,
      welcomed: () => this.#welcomed(),
      ended: (ending) => this.#ended(ending),
    });
    this.link = link;
    link.start();
  }

  #welcomed(): void {
    this.#welcomedAt = this.#parts.clock.now();
    this.#parts.state.trouble = null;
    this.#parts.state.move("connected");
  }

  #ended(ending: Ending): void {
    const { sync, state } = this.#parts;
    this.link = null;
    sync.disconnected(this.#session);
    this.#session = sync.nextSession(this.#session, ending.resync ?? false);
    if (this.#stopped) return;
    if (state.current === "connected") state.move("reconnecting");
    this.#again(ending);
  }

  #again(ending: Ending): void {
    const { clock, state, failed } = this.#parts;
    state.note(ending.reason);
    if (ending.fatal) return failed(ending.fatal);
    const delay = this.#delay(ending);
    if (!delay) return this.start();
    this.#waiting = true;
    this.#giveUp = clock.after(delay, () => this.start());
  }

  #delay({ atOnce, stopping, retryAfter = 0 }: Ending): number {
    const now = this.#parts.clock.now();
    if (atOnce) return this.#reconnection.afterRefusedToken(now, this.#welcomedAt);
    return stopping ? this.#reconnection.afterStop(now, retryAfter) : this.#reconnection.afterFailure(now, this.#welcomedAt, retryAfter);
  }
}
