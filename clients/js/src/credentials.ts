/** The token: where it comes from, whether the server took it, and when another is needed. */
import { callSafely, Listeners } from "./callbacks.js";
import { within, type Clock } from "./clock.js";
import { AuthenticationError, SynoviaError } from "./errors.js";
import type { ErrorInfo } from "./protocol/errors.js";
import type { Authenticated } from "./protocol/messages.js";

/** A token, a function that gives one (asked on every connection, and when one has expired), or null for anonymous. */
export type Token = string | (() => Promise<string | null> | string | null) | null;

/** Tokens that the server has given; kept so that a reloaded page is still signed in. */
export interface TokenSet {
  readonly token: string | null;
  readonly refreshToken: string | null;
  /** Milliseconds since 1970 by the server's clock. */
  readonly expiresAt: number | null;
}

/** Where tokens of the server are kept. */
export interface TokenStore {
  load(): TokenSet | null;
  /** Keep these; null: forget them. */
  save(tokens: TokenSet | null): void;
}

/** Who the server takes us for. */
export interface AuthState {
  /** A token is there, and the server has not looked at it yet. */
  readonly isLoading: boolean;
  readonly isAuthenticated: boolean;
  /** Why the newest token was not taken. */
  readonly error: AuthenticationError | null;
}

/** What a refusal means: there is another token to try, the server could not verify this one, or the client is anonymous. */
export type Refusal = "another" | "passing" | "final";

/** These codes refuse the token; every other one says that the server could not verify it. */
const VERDICTS = ["invalid_token", "unauthenticated", "forbidden"];
/** A token that is refused this soon after being asked for is not asked for again: whoever gives it gives the same. */
const PAUSE = 60_000;

/** Holds the token, or the function that gives one, and the tokens that the server has given for it. */
export class Credentials {
  /** Counts the tokens given by the program. */
  replaced = 0;
  /** Which of those the server has taken or refused last. */
  settled = -1;
  state: AuthState;
  readonly changed = new Listeners();
  #source: Token;
  #issued: TokenSet | null;
  #offered: "token" | "refresh" | "source" = "source";
  #askedAt: number | null = null;
  #signedIn: boolean | null = null;

  constructor(
    source: Token,
    readonly clock: Clock,
    readonly timeout: number,
    readonly store: TokenStore | null = null,
  ) {
    this.#source = source;
    this.#issued = source === null ? (store?.load() ?? null) : null;
    this.state = { isLoading: !this.anonymous, isAuthenticated: false, error: null };
  }

  /** Whether there is nothing to sign in with. */
  get anonymous(): boolean {
    return this.#source === null && this.#issued === null;
  }

  /**
   * Whether calls made now are made as somebody: there is a token, and the server has not refused it; null: a function has
   * not said yet whether it has a token.
   */
  get signsIn(): boolean | null {
    if (this.anonymous || this.state.error) return false;
    return this.#issued || typeof this.#source !== "function" ? true : this.#signedIn;
  }

  /** Whether a call is made as somebody whose `signsIn` was this when it began: it may have been settled since. */
  signsInStill(before: boolean | null): boolean | null {
    return before ?? (this.signsIn === false ? this.state.error !== null : this.signsIn);
  }

  /** Whether another token can be had when this one expires. */
  get renewable(): boolean {
    return this.#issued?.refreshToken != null || typeof this.#source === "function";
  }

  /** Use another token, or function, from now on; give its number. */
  replace(source: Token): number {
    this.#source = source;
    this.#askedAt = this.#signedIn = null;
    this.#keep(null);
    this.replaced += 1;
    this.#move({ isLoading: source !== null, isAuthenticated: false, error: null });
    return this.replaced;
  }

  /** The server's own token, if it has given one. */
  get issued(): string | null {
    return this.#issued?.token ?? null;
  }

  /**
   * Give the token to send: the server's own, else what renews it, else the program's.
   * @param renew The server's own is about to expire.
   */
  async token(renew: boolean): Promise<string | null> {
    const fresh = this.#reread();
    const { token = null, refreshToken = null } = this.#issued ?? {};
    if (token !== null && (fresh || !renew)) return this.#offer("token", token);
    if (refreshToken !== null) return this.#offer("refresh", refreshToken);
    const source = this.#source;
    return this.#offer("source", typeof source === "function" ? await this.#ask(source) : source);
  }

  /** Give the token for a request beside the socket: the server's own, else the program's. */
  async bearer(): Promise<string | null> {
    const source = this.#source;
    return this.issued ?? (typeof source === "function" ? await this.#ask(source) : source);
  }

  /** Take over what another page has done: renewed the tokens (each is good for one renewal only), or signed out. */
  #reread(): boolean {
    const before = this.#issued;
    if (this.store && before) this.#issued = this.store.load();
    return this.#issued !== null && this.#issued.token !== before?.token;
  }

  #offer<T>(kind: "token" | "refresh" | "source", token: T): T {
    this.#offered = kind;
    return token;
  }

  #ask(source: Exclude<Token, string | null>): Promise<string | null> {
    const late = (): Error => new SynoviaError(`no token came within ${this.timeout} ms`);
    return within(this.clock, this.timeout, (async () => source())(), late);
  }

  /** The server has accepted the token, and may have given its own. */
  accepted(message: Authenticated): void {
    if (message.token === null) return;
    this.#keep({ ...message, refreshToken: message.refreshToken ?? this.#issued?.refreshToken ?? null });
    this.#offered = "token"; // from here on
  }

  /** Take the server's refusal, and tell what it means. */
  refused(error: ErrorInfo): Refusal {
    if (!VERDICTS.includes(error.code)) return "passing";
    return this.#another() ? "another" : "final";
  }

  /** Take away what was refused; tell whether something is left. */
  #another(): boolean {
    if (this.#reread()) return true;
    const issued = this.#issued;
    if (issued && this.#offered !== "source") {
      const { refreshToken } = issued;
      this.#keep(this.#offered === "token" && refreshToken !== null ? { token: null, refreshToken, expiresAt: null } : null);
      return !this.anonymous;
    }
    if (typeof this.#source !== "function") return false;
    const now = this.clock.now();
    if (this.#askedAt !== null && now - this.#askedAt < PAUSE) return false;
    this.#askedAt = now;
    return true;
  }

  /** The token has expired, and there is no other. */
  expired(): void {
    this.settle(this.replaced, { code: "unauthenticated", message: "the token has expired", data: null });
  }

  /** The server has accepted the program's token of this number, or refused it for good, or there is none. */
  settle(number: number, info: ErrorInfo | null, signedIn = false): void {
    this.settled = Math.max(this.settled, number);
    if (number === this.replaced) {
      this.#signedIn = signedIn;
      this.#move({ isLoading: false, isAuthenticated: signedIn, error: info && AuthenticationError.of(info) });
    }
    this.changed.emit();
  }

  #keep(tokens: TokenSet | null): void {
    if (!tokens && !this.#issued) return;
    this.#issued = tokens && { token: tokens.token, refreshToken: tokens.refreshToken, expiresAt: tokens.expiresAt };
    callSafely(() => this.store?.save(this.#issued));
  }

  #move(state: AuthState): void {
    const { isLoading, isAuthenticated, error } = this.state;
    const same = isLoading === state.isLoading && isAuthenticated === state.isAuthenticated && error === state.error;
    if (same) return;
    this.state = state;
    this.changed.emit();
  }
}

/** Keep the server's tokens in the browser's localStorage, under a name. Any script of the page's origin can read them. */
export function localTokens(name: string): TokenStore {
  return {
    load: () => JSON.parse(localStorage.getItem(name) ?? "null") as TokenSet | null,
    save: (tokens) => (tokens ? localStorage.setItem(name, JSON.stringify(tokens)) : localStorage.removeItem(name)),
  };
}
