/** What can go wrong, as the program that uses the client sees it. */
import type { ErrorInfo } from "./protocol/errors.js";

/** The root of all errors that the client throws on purpose. */
export class SynoviaError extends Error {
  override readonly name: string = "SynoviaError";
  /** What went wrong, for programs. */
  readonly code: string = "client_error";
}

/** An error that came over the wire: a code for programs, a message for people, data as the application likes. */
export class CodedError extends SynoviaError {
  constructor(
    override readonly code: string,
    message: string,
    readonly data: unknown = null,
  ) {
    super(message);
  }

  /** Make the error for one that the server sent. */
  static of<E extends CodedError>(this: new (code: string, message: string, data?: unknown) => E, info: ErrorInfo): E {
    return new this(info.code, info.message, info.data);
  }
}

/** One query, mutation, action or array request failed; everything else goes on. */
export class FunctionError extends CodedError {
  override readonly name = "FunctionError";
}

/** The server did not accept the token; the connection goes on as anonymous. */
export class AuthenticationError extends CodedError {
  override readonly name = "AuthenticationError";
}

/** The server refused the connection for good: connecting again would fail the same way. The client is done. */
export class ConnectionFailed extends CodedError {
  override readonly name = "ConnectionFailed";
}

/** The connection broke while an action was in flight: nobody knows whether it ran, so it is not sent again. */
export class ConnectionLost extends SynoviaError {
  override readonly name = "ConnectionLost";
  override readonly code = "connection_lost";
}

/** The client was closed. */
export class ClientClosed extends SynoviaError {
  override readonly name = "ClientClosed";
  override readonly code = "client_closed";
}

/** No answer came in time. A mutation may still run: its caller gave up, the server was not asked to. */
export class RequestTimeout extends SynoviaError {
  override readonly name = "RequestTimeout";
  override readonly code = "timeout";
}
