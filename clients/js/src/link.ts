/** One connection: a socket, a session, and the timers that keep them going until there is a reason to end. */
import { report } from "./callbacks.js";
import type { Cancel, Clock } from "./clock.js";
import type { Credentials } from "./credentials.js";
import { hangUp, type Socket } from "./dialer.js";
import type { ClientSession } from "./protocol/client-session.js";
import { CloseCode, ProtocolError, ResyncNeeded, type ErrorInfo } from "./protocol/errors.js";
import type { ClientEvent } from "./protocol/events.js";
import type { Authenticated, AuthError, FatalError, Pong } from "./protocol/messages.js";
import type { Timeouts } from "./settings.js";
import { SignIn } from "./sign-in.js";
import type { SyncState } from "./sync-state.js";
import { retryAfter } from "./throttle.js";
import { VERSION } from "./version.js";

export const CLIENT_NAME = `synovia-client-js/${VERSION}`;
/** Samples wait here and not in the socket, so that a small message overtakes an upload on a slow line. */
const UNSENT_BYTES = 128 << 10;
const DRAIN_INTERVAL = 10;
/** Milliseconds between pings, whatever a server says of its idle timeout. */
const LEAST_PING_INTERVAL = 50;

/** Why a connection ended. */
export interface Ending {
  readonly reason: string;
  /** Nothing is wrong with the server: another connection is to be made without a wait. */
  readonly atOnce?: boolean;
  /** The server has ended in good order, and another one, or the same, will be there soon. */
  readonly stopping?: boolean;
  /** The server refuses this client: connecting again would fail the same way. */
  readonly fatal?: ErrorInfo;
  /** The server asked to wait this many milliseconds. */
  readonly retryAfter?: number;
  /** What is held does not fit what the server sends: take nothing along. */
  readonly resync?: boolean;
  readonly closeCode?: CloseCode;
}

/** What a connection is made of. */
export interface LinkParts {
  readonly socket: Socket;
  /** A new session, which may hold results of an earlier one. */
  readonly session: ClientSession;
  readonly sync: SyncState;
  readonly credentials: Credentials;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  readonly welcomed: () => void;
  readonly ended: (ending: Ending) => void;
}

/** Speaks for one connection. */
export class Link {
  readonly #parts: LinkParts;
  readonly #controls: (() => Uint8Array<ArrayBuffer>)[] = []; // made when they go: the connection may end before
  readonly #timers = new Map<string, Cancel>();
  readonly #signIn: SignIn;
  #over = false;
  #welcomed = false;
  #nonce = 0;
  #waitsForToken = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#signIn = new SignIn(parts.credentials);
  }

  /** Begin: the socket is open. */
  start(): void {
    const { socket, session, sync, timeouts } = this.#parts;
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => this.#receive(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      this.end({ reason: `the connection closed (${[code, reason].filter(Boolean).join(": ")})` });
    sync.onReady(() => this.#pump());
    this.#timer("welcome", timeouts.welcome, () =>
      this.end({ reason: `the server sent no welcome within ${timeouts.welcome} ms` }),
    );
    socket.send(session.connect(CLIENT_NAME));
    this.#pump();
  }

  /** End the connection, and tell why; only the first reason counts. */
  end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#parts.session.close();
    this.#parts.sync.onReady(null);
    hangUp(this.#parts.socket, ending.closeCode, ending.reason.slice(0, 30));
    this.#parts.ended(ending);
  }

  /** Sign in again, with whatever the credentials give now. */
  signIn(how: "yes" | "renew" = "yes"): void {
    this.#signIn.due = how;
    this.#parts.sync.ready();
  }

  /** Look now whether the server is still there. */
  check(): void {
    if (this.#over || !this.#welcomed || this.#waitsForToken || this.#timers.has("pong")) return;
    this.#ping();
    this.#awaitLife(Infinity);
  }

  #timer(name: string, milliseconds: number, run: () => void): void {
    this.#timers.get(name)?.();
    const cancel = this.#parts.clock.after(milliseconds, () => {
      this.#timers.delete(name);
      run();
    });
    this.#timers.set(name, cancel);
  }

  #stopTimer(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  // --- reading

  #receive(frame: Uint8Array | string): void {
    this.#stopTimer("pong");
    try {
      const events = this.#parts.session.receive(frame);
      this.#parts.sync.receive(events);
      for (const event of events) this.#handle(event);
    } catch (error) {
      this.end(broken(error));
    }
  }

  #handle(event: ClientEvent): void {
    switch (event.type) {
      case "Welcome": return this.#greeted();
      case "Authenticated": return this.#accepted(event);
      case "AuthError": return this.#refused(event);
      case "Pong": return this.#ponged(event);
      case "FatalError": return this.#dismissed(event);
    }
  }

  #greeted(): void {
    this.#welcomed = true;
    this.#stopTimer("welcome");
    this.#schedulePing();
    this.#parts.welcomed();
    if (this.#signIn.welcomed()) this.#goOn();
  }

  #dismissed({ error, retryAfter }: FatalError): void {
    const reason = `the server ended the connection: ${error.message} (${error.code})`;
    const stopping = error.code === "stopping";
    this.end(retryAfter === null ? { reason, fatal: error } : { reason, retryAfter: retryAfter * 1000, stopping });
  }

  // --- writing

  /** Send what may be sent now. */
  #pump(): void {
    if (this.#over || this.#waitsForToken) return;
    if (this.#signIn.due !== "no") return void this.#authenticate();
    const { socket } = this.#parts;
    try {
      for (let frame = this.#next(); frame; frame = this.#next()) socket.send(frame);
    } catch (error) {
      return this.end(broken(error));
    }
    if (socket.bufferedAmount > 0 && !this.#timers.has("drain")) this.#timer("drain", DRAIN_INTERVAL, () => this.#pump());
  }

  #next(): Uint8Array<ArrayBuffer> | null {
    const { sync, session, socket } = this.#parts;
    const control = this.#controls.shift();
    if (control) return control();
    if (!this.#welcomed || this.#signIn.pending) return sync.nextQuerySet(session);
    return sync.nextFrame(session, socket.bufferedAmount < UNSENT_BYTES);
  }

  #ping(): number {
    const nonce = ++this.#nonce;
    this.#controls.push(() => this.#parts.session.ping(nonce));
    this.#parts.sync.ready();
    return nonce;
  }

  // --- signing in: nothing else goes out until the token is there, and no request until the server has accepted it

  async #authenticate(): Promise<void> {
    const { credentials, session } = this.#parts;
    const renew = this.#signIn.due === "renew";
    this.#waitsForToken = true;
    const number = credentials.replaced;
    try {
      const token = await credentials.token(renew);
      if (this.#over) return;
      this.#controls.push(() => session.authenticate(token));
      this.#signIn.shown(this.#ping(), number, token === null);
    } catch (error) {
      this.end({ reason: `the token callable failed: ${error instanceof Error ? error.message : String(error)}` });
    }
    this.#waitsForToken = false;
    this.#pump();
  }

  #accepted(message: Authenticated): void {
    if (!this.#signIn.accepted(message)) return;
    if (message.expiresAt === null) return this.#stopTimer("expiry");
    const { credentials, sync, clock } = this.#parts;
    const left = message.expiresAt - (sync.time.now() ?? clock.date());
    if (credentials.renewable) this.#timer("expiry", sooner(left), () => this.signIn("renew"));
    else this.#timer("expiry", Math.min(left, 2 ** 31 - 1), () => this.#expired());
  }

  #expired(): void {
    this.#parts.credentials.expired();
    this.#signIn.signedIn = false;
    this.#signIn.wasRefused = true;
    this.#goOn();
  }

  #refused({ error }: AuthError): void {
    const { settled } = this.#signIn;
    const refusal = this.#signIn.refused(error);
    if (refusal) this.#stopTimer("expiry");
    // as nobody this connection is of no use, and what the server sends now is what nobody may see
    if (refusal === "passing") {
      const reason = `the server could not verify the token: ${error.message} (${error.code})`;
      this.end({ reason, retryAfter: retryAfter(error) ?? 0 });
    } else if (refusal === "another" && !settled) {
      this.end({ reason: `the token was refused (${error.code}); trying another`, atOnce: true });
    } else if (refusal === "another") {
      this.signIn();
    } else if (refusal && !this.#signIn.pending) {
      this.#goOn();
    }
  }

  #ponged({ nonce }: Pong): void {
    if (this.#signIn.ponged(nonce)) this.#goOn();
  }

  /** It is settled who the client is. */
  #goOn(): void {
    const { session, sync } = this.#parts;
    if (this.#signIn.wasRefused) this.#controls.push(() => session.authenticate(null));
    sync.identified(this.#signIn.signedIn, this.#signIn.wasRefused);
  }

  // --- staying alive

  #schedulePing(): void {
    const { session, timeouts } = this.#parts;
    const third = Math.max(LEAST_PING_INTERVAL, (session.welcome!.idleTimeout * 1000) / 3 || Infinity);
    this.#timer("ping", Math.min(timeouts.pingInterval, third), () => {
      this.#schedulePing();
      this.check();
    });
  }

  /** Wait for a sign of life: a frame, or that the socket has got rid of some of what waits in it. */
  #awaitLife(buffered: number): void {
    const { socket, timeouts } = this.#parts;
    this.#timer("pong", timeouts.pong, () => {
      const left = socket.bufferedAmount;
      if (left > 0 && left < buffered) return this.#awaitLife(left);
      this.end({ reason: `the server gave no sign of life for ${timeouts.pong} ms` });
    });
  }
}

/** Give a time before a token expires: a minute, or for short-lived tokens a fifth of their life. */
function sooner(left: number): number {
  if (left <= 0) return 30_000; // one of the clocks is wrong
  return Math.min(2 ** 31 - 1, Math.max(1000, left - Math.min(60_000, left / 5)));
}

function broken(error: unknown): Ending {
  if (!(error instanceof ProtocolError)) {
    report(error);
    return { reason: "the client failed to handle this connection" };
  }
  const { code, message, closeCode } = error;
  const reason = `the server broke the protocol: ${message}`;
  const fatal = code === "unsupported_version" ? { fatal: { code, message, data: null } } : {};
  return { reason, resync: error instanceof ResyncNeeded, closeCode, ...fatal };
}
