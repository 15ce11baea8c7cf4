/** The JavaScript client of Synovia: live queries, mutations, actions and arrays over one WebSocket. */
export type { Unsubscribe } from "./callbacks.js";
export { SynoviaClient, type ArrayOptions, type ClientOptions, type MutationOptions, type RequestOptions } from "./client.js";
export type { Clock } from "./clock.js";
export { localTokens, type AuthState, type Token, type TokenSet, type TokenStore } from "./credentials.js";
export {
  AuthenticationError,
  ClientClosed,
  ConnectionFailed,
  ConnectionLost,
  FunctionError,
  RequestTimeout,
  SynoviaError,
} from "./errors.js";
export type { StoredFile, UploadId, UploadOptions } from "./files.js";
export type { CallOptions } from "./limit.js";
export type { OptimisticCallback, OptimisticStore } from "./optimistic.js";
export { indexedDbOutbox, localStorageOutbox, type OutboxOptions, type OutboxStorage, type Recovered } from "./outbox.js";
export { Presence, type Member, type RoomView } from "./presence.js";
export type { TypedArray } from "./protocol/arrays.js";
export { ArrayRef, type Dtype, type Value } from "./protocol/values.js";
export type { Outcome } from "./queries.js";
export type {
  ActionReference,
  ArgsOf,
  FunctionKind,
  FunctionReference,
  MutationReference,
  QueryReference,
  ResultOf,
} from "./references.js";
export type { Timeouts } from "./settings.js";
export type { ConnectionState } from "./state.js";
export { NdArray, type Progress } from "./uploads.js";
export { Subscription, Subscription as Watch } from "./subscription.js";
