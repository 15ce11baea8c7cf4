/** The client's end of one connection: holds the results, and turns frames into events. No socket, no clock. */
import { decodeFrame, encodeFrame, isArrayFrame } from "./arrays.js";
import { decodeServer, encode } from "./codec.js";
import { digest } from "./digest.js";
import { Downloads } from "./downloads.js";
import { PatchError, ProtocolError, ResyncNeeded, SessionError, WireValueError } from "./errors.js";
import type { ClientEvent } from "./events.js";
import {
  PROTOCOL_VERSION,
  type Action,
  type ArrayFrame,
  type ArrayResponse,
  type ClientMessage,
  type FetchArray,
  type Mutation,
  type QueryAdd,
  type QueryPatch,
  type QueryUpdate,
  type ServerMessage,
  type Transition,
  type Ts,
  type Welcome,
} from "./messages.js";
import { apply } from "./patch.js";
import { Rooms } from "./rooms.js";
import { share } from "./sharing.js";
import { FROM_CLIENT, FROM_SERVER, type Limits } from "./unpack.js";
import type { ValueMap } from "./values.js";

/** The states of a connection as its client sees it. */
export type ClientState = "NEW" | "EXPECT_WELCOME" | "OPEN" | "CLOSED";

type Moves = Record<ClientState, Readonly<Record<string, ClientState>>>;

const REQUESTS = "Authenticate ModifyQuerySet Mutation Action FetchArray CancelFetch Ping ArrayFrame PresenceJoin PresenceState PresenceLeave";
const ANSWERS = "Transition MutationResponse ActionResponse Authenticated AuthError ArrayResponse ArrayFrame Pong PresenceUpdate PresenceEnded";
const SENDS: Moves = {
  NEW: { Connect: "EXPECT_WELCOME" },
  EXPECT_WELCOME: staying(REQUESTS, "EXPECT_WELCOME"), // nobody waits for Welcome
  OPEN: staying(REQUESTS, "OPEN"),
  CLOSED: {},
};
const RECEIVES: Moves = {
  NEW: { FatalError: "CLOSED" }, // a server may be stopping, or tired of waiting for Connect
  EXPECT_WELCOME: { Welcome: "OPEN", FatalError: "CLOSED" },
  OPEN: { ...staying(ANSWERS, "OPEN"), FatalError: "CLOSED" },
  CLOSED: {},
};

function staying(types: string, state: ClientState): Record<string, ClientState> {
  return Object.fromEntries(types.split(" ").map((type) => [type, state]));
}

/** A result that a client holds, and the journal that came with it. */
export interface Held {
  readonly value: unknown;
  readonly journal: Uint8Array | null;
}

/** A query to subscribe to. */
export interface Offered {
  readonly queryId: number;
  readonly path: string;
  readonly args: ValueMap;
  readonly traceparent?: string | null;
}

type Results = Map<number, Held | null>;

/** One connection as the client sees it. */
export class ClientSession {
  state: ClientState = "NEW";
  /** What the server said of itself. */
  welcome: Welcome | null = null;
  readonly #queries = new Set<number>();
  readonly #removed = new Set<number>();
  readonly #current = new Set<number>();
  readonly #requests = new Map<number, string>();
  readonly #downloads: Downloads;
  readonly #rooms = new Rooms();
  #transitions = 0;

  /**
   * @param sessionId 16 random bytes that outlive the connection; retried mutations are recognised by them.
   * @param ts The instant of the results in `held`; null before there are any.
   * @param held Results by query id; those of an earlier connection are offered when such a query is added again.
   * @param past Earlier results, which are not offered: new ones take over the identity of what is equal in them.
   */
  constructor(
    readonly sessionId: Uint8Array,
    public ts: Ts | null = null,
    readonly held = new Map<number, Held>(),
    readonly past = new Map<number, unknown>(),
    readonly limits: Limits = FROM_SERVER,
  ) {
    this.#downloads = new Downloads(limits);
    for (const [queryId, { value }] of held) past.set(queryId, value);
  }

  /** Make the session of the next connection, which continues from what this one holds of the queries still wanted. */
  resume(wanted: (queryId: number) => boolean = () => true): ClientSession {
    const [held, past] = [filter(this.held, wanted), filter(this.past, wanted)];
    return new ClientSession(this.sessionId, this.ts, held, past, this.limits);
  }

  /**
   * Make the session of the next connection after ResyncNeeded: it starts at no instant. The results go along with their
   * digests only, so that the server confirms or replaces all of them at one instant.
   */
  restart(wanted: (queryId: number) => boolean = () => true): ClientSession {
    const [held, past] = [filter(this.held, wanted), filter(this.past, wanted)];
    return new ClientSession(this.sessionId, null, held, past, this.limits);
  }

  /** Whether the result held is that of `ts`, not one of an earlier connection still to be confirmed. */
  isCurrent(queryId: number): boolean {
    return this.#current.has(queryId);
  }

  /** The connection is gone. */
  close(): void {
    this.state = "CLOSED";
  }

  // --- sending

  /** Open the connection. `client` is a name and version for the server's logs. */
  connect(client = ""): Uint8Array<ArrayBuffer> {
    return this.#send({ type: "Connect", session: this.sessionId, version: PROTOCOL_VERSION, newestTs: this.ts, client });
  }

  /** Sign in with a token, or become anonymous. */
  authenticate(token: string | null): Uint8Array<ArrayBuffer> {
    return this.#send({ type: "Authenticate", token });
  }

  /** Subscribe to queries and leave others. Ids are new ones, or those of results held from before. */
  modify(add: Iterable<Offered>, remove: Iterable<number>): Uint8Array<ArrayBuffer> {
    const adds = Array.from(add, (query) => this.#offer(query));
    const removes = Array.from(remove);
    this.#checkIds(adds.map((query) => query.queryId), removes);
    const frame = this.#send({ type: "ModifyQuerySet", add: adds, remove: removes });
    for (const queryId of removes) this.#forget(queryId);
    for (const query of adds) this.#queries.add(query.queryId);
    return frame;
  }

  #offer({ queryId, path, args, traceparent = null }: Offered): QueryAdd {
    const held = this.held.get(queryId);
    const offered = held ? { digest: digest(held.value), journal: held.journal } : { digest: null, journal: null };
    return { type: "QueryAdd", queryId, path, args, ...offered, traceparent };
  }

  #checkIds(added: readonly number[], removed: readonly number[]): void {
    const used = added.some((queryId) => this.#queries.has(queryId) || this.#removed.has(queryId));
    if (used || new Set(added).size !== added.length) throw new SessionError("a query id is used twice");
    const unknown = removed.some((queryId) => !this.#queries.has(queryId));
    if (unknown || new Set(removed).size !== removed.length) throw new SessionError("a query is removed but not there");
  }

  #forget(queryId: number): void {
    this.#queries.delete(queryId);
    this.#current.delete(queryId);
    this.held.delete(queryId);
    this.past.delete(queryId);
    this.#removed.add(queryId);
  }

  /** Run a mutation. `retry`: it may have been sent before, on a connection that broke; `issuedAt`: when first. */
  mutation(
    requestId: number, path: string, args: ValueMap, retry = false, issuedAt: number | null = null, traceparent: string | null = null,
  ): Uint8Array<ArrayBuffer> {
    return this.#request({ type: "Mutation", requestId, path, args, retry, issuedAt, traceparent });
  }

  /** Be present in the room of a query; rooms are numbered upwards. */
  join(roomId: number, path: string, args: ValueMap, state: unknown): Uint8Array<ArrayBuffer> {
    this.#rooms.checkNew(roomId);
    const frame = this.#send({ type: "PresenceJoin", roomId, path, args, state });
    this.#rooms.join(roomId);
    return frame;
  }

  /** Have the others in a room see another state. */
  show(roomId: number, state: unknown): Uint8Array<ArrayBuffer> {
    this.#rooms.checkJoined(roomId);
    return this.#send({ type: "PresenceState", roomId, state });
  }

  /** Be no longer in a room; whatever still comes of it is ignored. */
  leave(roomId: number): Uint8Array<ArrayBuffer> {
    this.#rooms.checkJoined(roomId);
    const frame = this.#send({ type: "PresenceLeave", roomId });
    this.#rooms.leave(roomId);
    return frame;
  }

  /** Run an action. */
  action(requestId: number, path: string, args: ValueMap, traceparent: string | null = null): Uint8Array<ArrayBuffer> {
    return this.#request({ type: "Action", requestId, path, args, traceparent });
  }

  /** Ask for elements of an array that the query shows. */
  fetchArray(fetch: Omit<FetchArray, "type">): Uint8Array<ArrayBuffer> {
    const frame = this.#request({ type: "FetchArray", ...fetch });
    this.#downloads.expect(fetch.requestId, fetch.digest);
    return frame;
  }

  /** Give up a fetch; whatever still comes of it is ignored. */
  cancelFetch(requestId: number): Uint8Array<ArrayBuffer> {
    if (this.#requests.get(requestId) !== "FetchArray") throw new SessionError(`no fetch ${requestId}`);
    const frame = this.#send({ type: "CancelFetch", requestId });
    this.#requests.delete(requestId);
    this.#downloads.cancel(requestId);
    return frame;
  }

  /** Give the elements of a fetch that have arrived, so that the next connection need not ask for them again. */
  fetchedSoFar(requestId: number): Uint8Array {
    return this.#downloads.received(requestId);
  }

  /** Show that the client is there, and ask whether the server is. */
  ping(nonce = 0): Uint8Array<ArrayBuffer> {
    return this.#send({ type: "Ping", nonce });
  }

  /** Send one frame of an upload. */
  arrayFrame(frame: ArrayFrame): Uint8Array<ArrayBuffer> {
    this.#checkSendable("ArrayFrame");
    return encodeFrame(frame);
  }

  #request(message: Mutation | Action | FetchArray): Uint8Array<ArrayBuffer> {
    if (this.#requests.has(message.requestId) || this.#downloads.isCancelled(message.requestId)) {
      throw new SessionError(`request ${message.requestId} has been sent`);
    }
    const frame = this.#send(message);
    this.#requests.set(message.requestId, message.type);
    return frame;
  }

  #send(message: ClientMessage): Uint8Array<ArrayBuffer> {
    const state = this.#checkSendable(message.type);
    const frame = encode(message);
    const most = this.welcome?.maxMessageBytes ?? FROM_CLIENT.maxMessageBytes;
    if (frame.length > most) throw new WireValueError(`a message of ${frame.length} bytes; the server takes ${most}`);
    this.state = state;
    return frame;
  }

  #checkSendable(type: string): ClientState {
    const state = SENDS[this.state][type];
    if (!state) throw new SessionError(`${type} cannot be sent in state ${this.state}`);
    return state;
  }

  // --- receiving

  /**
   * Take one frame and give what it changed.
   * ResyncNeeded: it does not continue what is held: close, and go on with `restart()`.
   * ProtocolError: the server broke the protocol: close with its close code.
   */
  receive(frame: Uint8Array | string): ClientEvent[] {
    try {
      return this.#receive(frame);
    } catch (error) {
      if (error instanceof ProtocolError) this.state = "CLOSED";
      throw error;
    }
  }

  #receive(frame: Uint8Array | string): ClientEvent[] {
    if (typeof frame !== "string" && isArrayFrame(frame)) {
      this.#checkExpected("ArrayFrame");
      return this.#receiveArray(frame);
    }
    const message = decodeServer(frame, this.limits);
    const state = this.#checkExpected(message.type);
    const events = this.#take(message);
    this.state = state;
    return events;
  }

  #checkExpected(type: string): ClientState {
    const state = RECEIVES[this.state][type];
    if (!state) throw new ProtocolError("unexpected_message", `${type} in state ${this.state}`);
    return state;
  }

  #take(message: ServerMessage): ClientEvent[] {
    switch (message.type) {
      case "Transition": return this.#transition(message);
      case "ArrayResponse": return this.#arrayResponse(message);
      case "PresenceUpdate": return this.#rooms.update(message);
      case "PresenceEnded": return this.#rooms.end(message);
      case "MutationResponse": this.#answer(message.requestId, "Mutation"); break;
      case "ActionResponse": this.#answer(message.requestId, "Action"); break;
      case "Welcome": this.#greet(message);
    }
    return [message];
  }

  #greet(message: Welcome): void {
    if (message.version !== PROTOCOL_VERSION) {
      throw new ProtocolError("unsupported_version", `the server speaks version ${message.version}`);
    }
    this.welcome = message;
  }

  #answer(requestId: number, type: string): void {
    if (this.#requests.get(requestId) !== type) throw new ProtocolError("unexpected_message", `no ${type} ${requestId} is under way`);
    this.#requests.delete(requestId);
  }

  // --- arrays

  #arrayResponse(message: ArrayResponse): ClientEvent[] {
    if (this.#downloads.isCancelled(message.requestId)) return [];
    if (!this.#requests.has(message.requestId)) {
      throw new ProtocolError("unexpected_message", `no FetchArray ${message.requestId} is under way`);
    }
    return this.#finishFetch(message.requestId, this.#downloads.begin(message));
  }

  #receiveArray(frame: Uint8Array): ClientEvent[] {
    if (frame.length > this.limits.maxMessageBytes) throw new ProtocolError("too_large", `an array frame of ${frame.length} bytes`);
    const decoded = decodeFrame(frame);
    return this.#finishFetch(decoded.stream, this.#downloads.receive(decoded));
  }

  #finishFetch(requestId: number, events: ClientEvent[]): ClientEvent[] {
    if (!this.#downloads.isOpen(requestId)) this.#requests.delete(requestId);
    return events;
  }

  // --- transitions

  /** Apply a transition wholly or not at all. */
  #transition(message: Transition): ClientEvent[] {
    this.#checkContinues(message);
    const events: ClientEvent[] = [];
    const results: Results = new Map();
    for (const update of message.updates) {
      if (this.#isWanted(update.queryId, results)) events.push(this.#update(update, results, message.toTs === message.fromTs));
    }
    this.#commit(message, results);
    events.push({ type: "TransitionApplied", ts: message.toTs });
    return events;
  }

  #checkContinues({ fromTs, toTs, number }: Transition): void {
    if (fromTs !== (this.ts ?? 0n) || toTs < fromTs) {
      throw new ResyncNeeded(`a transition from ${fromTs} to ${toTs}; this is ${this.ts}`);
    }
    if (number !== 0 && number !== this.#transitions + 1) {
      throw new ResyncNeeded(`transition ${number} after ${this.#transitions}`);
    }
  }

  #isWanted(queryId: number, done: Results): boolean {
    if (done.has(queryId)) throw new ProtocolError("bad_message", `query ${queryId} twice in a transition`);
    if (this.#queries.has(queryId)) return true;
    if (this.#removed.has(queryId)) return false; // the server had not heard of it yet
    throw new ProtocolError("bad_message", `query ${queryId} was never added`);
  }

  #update(update: QueryUpdate, results: Results, sameTime: boolean): ClientEvent {
    const { queryId } = update;
    const held = this.held.get(queryId);
    if (update.type === "QueryFailed") {
      results.set(queryId, null);
      return { type: "QueryErrored", queryId, error: update.error };
    }
    const next = update.type === "QueryValue" ? this.#whole(queryId, update.value, update.journal) : this.#next(update, held, sameTime);
    results.set(queryId, next);
    return { type: "QueryUpdated", queryId, value: next.value, changed: !held || !Object.is(next.value, held.value) };
  }

  #whole(queryId: number, value: unknown, journal: Uint8Array | null): Held {
    return { value: share(this.past.get(queryId), value), journal };
  }

  #next(update: Exclude<QueryUpdate, { type: "QueryValue" | "QueryFailed" }>, held: Held | undefined, sameTime: boolean): Held {
    if (!held) throw new ResyncNeeded(`no result of query ${update.queryId} is held`);
    if (update.type === "QueryUnchanged") return held;
    if (sameTime && this.#current.has(update.queryId)) {
      throw new ResyncNeeded(`a patch of query ${update.queryId} while time stood still`);
    }
    return { value: patched(held.value, update), journal: held.journal };
  }

  #commit(message: Transition, results: Results): void {
    for (const [queryId, result] of results) {
      this.#current.add(queryId);
      if (!result) {
        this.held.delete(queryId);
      } else {
        this.held.set(queryId, result);
        this.past.set(queryId, result.value);
      }
    }
    this.ts = message.toTs;
    this.#transitions += 1;
  }
}

function patched(value: unknown, update: QueryPatch): unknown {
  try {
    return update.patches.reduce(apply, value);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw new ResyncNeeded(`a patch of query ${update.queryId} does not fit: ${error.message}`);
  }
}

function filter<T>(map: Map<number, T>, wanted: (queryId: number) => boolean): Map<number, T> {
  return new Map([...map].filter(([queryId]) => wanted(queryId)));
}
