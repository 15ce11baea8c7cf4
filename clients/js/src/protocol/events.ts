/** What a client session tells its owner. */
import type { ErrorInfo } from "./errors.js";
import type {
  ActionResponse,
  ArrayResponse,
  Authenticated,
  AuthError,
  FatalError,
  MutationResponse,
  Pong,
  PresenceEnded,
  PresenceMember,
  Ts,
  Welcome,
} from "./messages.js";
import type { Dtype } from "./values.js";

/** A query has a result. Not `changed`: it is the one held before, now known to be current. */
export interface QueryUpdated {
  readonly type: "QueryUpdated";
  readonly queryId: number;
  readonly value: unknown;
  readonly changed: boolean;
}

/** A query failed; it has no result until it is updated again. */
export interface QueryErrored {
  readonly type: "QueryErrored";
  readonly queryId: number;
  readonly error: ErrorInfo;
}

/** Every result held is now that of `ts`; follows the queries' own events. */
export interface TransitionApplied {
  readonly type: "TransitionApplied";
  readonly ts: Ts;
}

/** Some elements of the answer to a FetchArray: `data` starts at element `position` of `length`. */
export interface ArrayChunk {
  readonly type: "ArrayChunk";
  readonly requestId: number;
  readonly position: number;
  readonly length: number;
  readonly data: Uint8Array;
}

/** The answer to a FetchArray is complete. */
export interface ArrayFetched {
  readonly type: "ArrayFetched";
  readonly requestId: number;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Who is in a room now, by their ids; `me` is that of this client. */
export interface PresenceUpdated {
  readonly type: "PresenceUpdated";
  readonly roomId: number;
  readonly members: ReadonlyMap<string, PresenceMember>;
  readonly me: string;
}

export type ClientEvent =
  | Welcome
  | QueryUpdated
  | QueryErrored
  | TransitionApplied
  | MutationResponse
  | ActionResponse
  | Authenticated
  | AuthError
  | ArrayResponse
  | ArrayChunk
  | ArrayFetched
  | FatalError
  | Pong
  | PresenceUpdated
  | PresenceEnded;
