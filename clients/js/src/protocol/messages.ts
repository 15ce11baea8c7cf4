/** The messages of `synovia.v1`, one type each; `codec` says how they travel. */
import type { Patch } from "./edits.js";
import type { ErrorInfo } from "./errors.js";
import type { Dtype, ValueMap } from "./values.js";

export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "synovia.v1";

/** An instant of the database; only compared. */
export type Ts = bigint;

// --- client to server

/** The first message: which session this is (16 random bytes, outlives the connection), and the newest ts seen. */
export interface Connect {
  readonly type: "Connect";
  readonly session: Uint8Array;
  readonly version: number;
  readonly newestTs: Ts | null;
  readonly client: string;
}

/** Sign in with a token, or become anonymous with null. */
export interface Authenticate {
  readonly type: "Authenticate";
  readonly token: string | null;
}

/** One query to subscribe to, with the digest of the result already held and the journal that came with it. */
export interface QueryAdd {
  readonly type: "QueryAdd";
  readonly queryId: number;
  readonly path: string;
  readonly args: ValueMap;
  readonly digest: Uint8Array | null;
  readonly journal: Uint8Array | null;
  readonly traceparent: string | null;
}

export interface ModifyQuerySet {
  readonly type: "ModifyQuerySet";
  readonly add: readonly QueryAdd[];
  readonly remove: readonly number[];
}

/**
 * Run a mutation. `retry`: it may have been sent before; `issuedAt`: when first, in milliseconds by the server's clock;
 * `traceparent`: what the caller traces, as the header of that name (W3C Trace Context).
 */
export interface Mutation {
  readonly type: "Mutation";
  readonly requestId: number;
  readonly path: string;
  readonly args: ValueMap;
  readonly retry: boolean;
  readonly issuedAt: number | null;
  readonly traceparent: string | null;
}

export interface Action {
  readonly type: "Action";
  readonly requestId: number;
  readonly path: string;
  readonly args: ValueMap;
  readonly traceparent: string | null;
}

/** Ask for elements `[start, stop)` of an array that the query shows; thinned if `points` is given. */
export interface FetchArray {
  readonly type: "FetchArray";
  readonly requestId: number;
  readonly queryId: number;
  readonly digest: Uint8Array;
  readonly start: number;
  readonly stop: number | null;
  readonly points: number | null;
}

export interface CancelFetch {
  readonly type: "CancelFetch";
  readonly requestId: number;
}

export interface Ping {
  readonly type: "Ping";
  readonly nonce: number;
}

/** Be present in the room of a query; rooms of a connection are numbered upwards. */
export interface PresenceJoin {
  readonly type: "PresenceJoin";
  readonly roomId: number;
  readonly path: string;
  readonly args: ValueMap;
  readonly state: unknown;
}

/** Show the others in a room something else; only the newest state counts. */
export interface PresenceState {
  readonly type: "PresenceState";
  readonly roomId: number;
  readonly state: unknown;
}

export interface PresenceLeave {
  readonly type: "PresenceLeave";
  readonly roomId: number;
}

export type ClientMessage =
  | Connect
  | Authenticate
  | ModifyQuerySet
  | Mutation
  | Action
  | FetchArray
  | CancelFetch
  | Ping
  | PresenceJoin
  | PresenceState
  | PresenceLeave;

// --- server to client

/** The answer to Connect. `serverTime` is the server's clock, in milliseconds since 1970. */
export interface Welcome {
  readonly type: "Welcome";
  readonly version: number;
  readonly maxMessageBytes: number;
  /** Seconds without a frame from the client after which the server closes. */
  readonly idleTimeout: number;
  readonly serverTime: number | null;
}

/** A whole result. */
export interface QueryValue {
  readonly type: "QueryValue";
  readonly queryId: number;
  readonly value: unknown;
  readonly journal: Uint8Array | null;
}

/** Patches that lead, one after the other, from the result held to the new one. */
export interface QueryPatch {
  readonly type: "QueryPatch";
  readonly queryId: number;
  readonly patches: readonly (Patch | unknown)[];
}

/** The result that the client said it holds is still the newest. */
export interface QueryUnchanged {
  readonly type: "QueryUnchanged";
  readonly queryId: number;
}

export interface QueryFailed {
  readonly type: "QueryFailed";
  readonly queryId: number;
  readonly error: ErrorInfo;
}

export type QueryUpdate = QueryValue | QueryPatch | QueryUnchanged | QueryFailed;

/** Move from one instant to a later one. `number` counts the transitions of a connection from 1; 0 does not count. */
export interface Transition {
  readonly type: "Transition";
  readonly fromTs: Ts;
  readonly toTs: Ts;
  readonly updates: readonly QueryUpdate[];
  readonly number: number;
}

/** The outcome of a mutation; the transition that shows its effects was sent before. `ts` null: not committed. */
export interface MutationResponse {
  readonly type: "MutationResponse";
  readonly requestId: number;
  readonly ts: Ts | null;
  readonly result: unknown;
  readonly error: ErrorInfo | null;
}

export interface ActionResponse {
  readonly type: "ActionResponse";
  readonly requestId: number;
  readonly result: unknown;
  readonly error: ErrorInfo | null;
}

/** The token was not accepted; the connection goes on as anonymous. */
export interface AuthError {
  readonly type: "AuthError";
  readonly error: ErrorInfo;
}

/** The token was accepted. */
export interface Authenticated {
  readonly type: "Authenticated";
  /** A token of the server's own to use from now on; null: go on with the one that was sent. */
  readonly token: string | null;
  /** Sent in place of `token` to get new ones when that has expired; null: there is none. */
  readonly refreshToken: string | null;
  /** When the connection falls back to anonymous, in milliseconds since 1970 by the server's clock; null: never. */
  readonly expiresAt: number | null;
}

/** The answer to FetchArray: frames with these elements follow, or an error. */
export interface ArrayResponse {
  readonly type: "ArrayResponse";
  readonly requestId: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly error: ErrorInfo | null;
}

/** The connection ends. `retryAfter` seconds: connect again then; null: it would end the same way. */
export interface FatalError {
  readonly type: "FatalError";
  readonly error: ErrorInfo;
  readonly retryAfter: number | null;
}

export interface Pong {
  readonly type: "Pong";
  readonly nonce: number;
}

/** Somebody in a room: `who` is what the room's query says of them, `state` what they say themselves. */
export interface PresenceMember {
  readonly type: "PresenceMember";
  readonly id: string;
  readonly who: unknown;
  readonly state: unknown;
}

/** Somebody whose state is another one. */
export interface PresenceMove {
  readonly type: "PresenceMove";
  readonly id: string;
  readonly state: unknown;
}

/** What has changed in a room since the last update of it. */
export interface PresenceUpdate {
  readonly type: "PresenceUpdate";
  readonly roomId: number;
  /** Who has come, or is somebody else now. */
  readonly here: readonly PresenceMember[];
  readonly moved: readonly PresenceMove[];
  readonly left: readonly string[];
  /** `here` are all who are there. */
  readonly whole: boolean;
  /** The client's own id; said in the first update. */
  readonly me: string | null;
}

/** The client is not in the room, or not any more. */
export interface PresenceEnded {
  readonly type: "PresenceEnded";
  readonly roomId: number;
  readonly error: ErrorInfo;
}

export type ServerMessage =
  | Welcome
  | Transition
  | MutationResponse
  | ActionResponse
  | AuthError
  | Authenticated
  | ArrayResponse
  | FatalError
  | Pong
  | PresenceUpdate
  | PresenceEnded;
export type Message = ClientMessage | ServerMessage;

/** A raw array frame: `length` elements are to come under this stream, `data` holds those from `position` on. */
export interface ArrayFrame {
  readonly type: "ArrayFrame";
  /** The request id of the FetchArray it answers, 0 for an upload. */
  readonly stream: number;
  readonly dtype: Dtype;
  readonly digest: Uint8Array;
  readonly position: number;
  readonly length: number;
  /** Little-endian, row-major. */
  readonly data: Uint8Array;
}
