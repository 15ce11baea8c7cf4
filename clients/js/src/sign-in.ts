/** Signing in on one connection: which answers of the server belong to which token. */
import type { Credentials, Refusal } from "./credentials.js";
import type { ErrorInfo } from "./protocol/errors.js";
import type { Authenticated } from "./protocol/messages.js";

/** A token that was sent, and the ping behind it, whose pong comes after the answer to the token. */
interface Shown {
  readonly nonce: number;
  readonly number: number;
  readonly anonymous: boolean;
}

/**
 * Knows whether the server has answered the newest token; until then it is not known as whom a request would run.
 *
 * The server answers in order, so an answer belongs to the oldest token that is not settled yet. An AuthError may also come
 * unasked, when a session ends; the pong behind a token tells the two apart, and that there will be no answer.
 */
export class SignIn {
  /** A token is to be sent before anything else; `renew`: the one in use is about to expire. */
  due: "no" | "yes" | "renew";
  /** Whether any token of this connection has been answered, or none was needed. */
  settled = false;
  /** Whether the server has accepted the newest token. */
  signedIn = false;
  /** Whether it has refused it: it runs nothing then until the client says that it goes on as nobody. */
  wasRefused = false;
  #shown: Shown[] = [];
  #refusal: ErrorInfo | null = null;

  constructor(readonly credentials: Credentials) {
    this.due = credentials.anonymous ? "no" : "yes";
  }

  /** Whether the answer to a token is still to come. */
  get pending(): boolean {
    return this.due !== "no" || this.#shown.length > 0;
  }

  get #outdated(): boolean {
    return this.#shown.length > 0 && this.#shown[0]!.number !== this.credentials.replaced;
  }

  /** Note that a token has been sent, with a ping of this nonce behind it; another is due if it was replaced before. */
  shown(nonce: number, number: number, anonymous: boolean): void {
    this.due = number === this.credentials.replaced ? "no" : "yes";
    this.#shown.push({ nonce, number, anonymous });
    this.#refusal = null;
  }

  /** Take the server's consent; false if it is to a token that has been replaced meanwhile. */
  accepted(message: Authenticated): boolean {
    if (this.#outdated) return false;
    this.#refusal = null;
    this.credentials.accepted(message);
    return true;
  }

  /** Take the server's refusal; null if it is of a token that has been, or is about to be, replaced. */
  refused(error: ErrorInfo): Refusal | null {
    if (this.due !== "no" || this.#outdated) return null;
    const refusal = this.credentials.refused(error);
    if (refusal !== "final") return refusal;
    if (this.#shown[0]?.anonymous) return null; // nobody cannot be refused: it is of the session that has just been left
    this.#refusal = error;
    if (!this.#shown.length) this.#settle(this.credentials.replaced, true); // unasked
    return refusal;
  }

  /** Take a pong; tell whether it settles who the client is. */
  ponged(nonce: number): boolean {
    const [oldest] = this.#shown;
    if (oldest?.nonce !== nonce) return false;
    this.#shown.shift();
    if (this.pending) return false;
    this.#settle(oldest.number, oldest.anonymous);
    return true;
  }

  /** Take the welcome; tell whether it settles who the client is: nobody, if there is no token. */
  welcomed(): boolean {
    if (this.pending || this.settled) return false;
    this.#settle(this.credentials.replaced, true);
    return true;
  }

  #settle(number: number, anonymous: boolean): void {
    this.settled = true;
    this.wasRefused = this.#refusal !== null;
    this.signedIn = !anonymous && !this.wasRefused;
    this.credentials.settle(number, this.#refusal, this.signedIn);
    this.#refusal = null;
  }
}
