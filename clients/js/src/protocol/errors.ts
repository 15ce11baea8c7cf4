/** Errors that cross the wire: their codes, and the close codes they map to. */

export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 4400,
  TIMEOUT: 4408,
  TOO_LARGE: 4413,
  SERVER_ERROR: 4500,
  UNSUPPORTED_VERSION: 4505,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The codes that end a connection and that a client finds by itself; the server and applications have more. */
export type ErrorCode =
  | "bad_frame"
  | "bad_message"
  | "unknown_message"
  | "unexpected_message"
  | "text_frame"
  | "too_large"
  | "unsupported_version"
  | "bad_array_frame"
  | "array_misordered"
  | "array_digest_mismatch"
  | "out_of_sync";

const CLOSE_CODES: Partial<Record<ErrorCode, CloseCode>> = {
  too_large: CloseCode.TOO_LARGE,
  unsupported_version: CloseCode.UNSUPPORTED_VERSION,
};

/** Give the close code of an error that ends the connection. */
export function closeCodeOf(code: ErrorCode): CloseCode {
  return CLOSE_CODES[code] ?? CloseCode.PROTOCOL_ERROR;
}

/** An error as it travels: a code for programs, a message for people, data as the application likes. */
export interface ErrorInfo {
  readonly code: string;
  readonly message: string;
  readonly data: unknown;
}

/** The server broke the protocol; the connection ends with `closeCode`. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  readonly closeCode: CloseCode;

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    this.closeCode = closeCodeOf(code);
  }
}

/** The bytes are not msgpack, or hold what is not a wire value. */
export class BadFrame extends ProtocolError {
  constructor(message: string) {
    super("bad_frame", message);
  }
}

/** What arrived does not continue what is held: connect again, and take nothing along but the session id. */
export class ResyncNeeded extends ProtocolError {
  constructor(message: string) {
    super("out_of_sync", message);
  }
}

/** A value of one's own cannot travel: its type, its depth or its size. */
export class WireValueError extends Error {
  override readonly name: string = "WireValueError";
}

/** A patch does not fit the value that it was applied to. */
export class PatchError extends Error {
  override readonly name: string = "PatchError";
}

/** One's own side called what the state of the session does not allow; nothing was changed. */
export class SessionError extends Error {
  override readonly name: string = "SessionError";
}
