/** Why somebody could not be signed in. */
import { CodedError } from "../errors.js";

/**
 * What went wrong, for programs:
 *
 * - `cancelled`, `timed_out`, `no_browser`: the program gave it up, the browser did not come back, or could not be opened.
 * - `denied`, `issuer_error`: what the issuer sent the browser back with.
 * - `state_mismatch`, `issuer_mismatch`, `nonce_mismatch`, `audience_mismatch`: an answer of another attempt, issuer or program.
 * - `code_refused`: the issuer does not exchange its code: it is used, expired, or was asked for by another program (PKCE).
 * - `token_expired`, `bad_token`: what the issuer gave is of the past, or no ID token.
 * - `bad_issuer`, `issuer_unreachable`, `hub_unreachable`: whom one cannot ask.
 * - `no_such_way`: the hub knows no such issuer.
 */
export type SignInCode =
  | "cancelled"
  | "timed_out"
  | "no_browser"
  | "no_such_way"
  | "hub_unreachable"
  | "issuer_unreachable"
  | "bad_issuer"
  | "denied"
  | "issuer_error"
  | "state_mismatch"
  | "issuer_mismatch"
  | "code_refused"
  | "bad_token"
  | "nonce_mismatch"
  | "audience_mismatch"
  | "token_expired";

/** Somebody could not be signed in; `code` says what went wrong, `message` the same for people. */
export class SignInError extends CodedError {
  override readonly name = "SignInError";

  constructor(
    override readonly code: SignInCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message);
    if (options && "cause" in options) this.cause = options.cause;
  }
}
