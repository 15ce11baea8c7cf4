/** Signing in from a desktop program whose pages are a webview's: with the system's own browser. */
import { besideSocket, socketUrl } from "../address.js";
import { systemClock, within, type Clock } from "../clock.js";
import { SignInError } from "./errors.js";
import { Http, type Fetch } from "./http.js";
import { Attempt, discover, exchange, hostOf, isGoogle, question, type Program } from "./issuer.js";
import { ReturnPoint, type Listen, type ReturnTexts } from "./return.js";

/** An issuer with which the hub lets people sign in. */
export interface IssuerWay {
  readonly issuer: string;
  /** Its name for people: Google, or the host's. */
  readonly name: string;
  /** The programs that the hub knows there. */
  readonly clientIds: readonly string[];
}

/** The ways to sign in that a hub offers. */
export interface SignInWays {
  readonly issuers: readonly IssuerWay[];
  /** With a code by e-mail. */
  readonly email: boolean;
  /** With a token `dev:ADDRESS`, while somebody develops the program. */
  readonly development: boolean;
}

export interface SignInWaysOptions {
  /** The hub, as for `SynoviaClient`. */
  readonly url: string;
  /** Makes the requests; by default the platform's. In a page, one that is not bound to the page's origin. */
  readonly fetch?: Fetch;
  /** Gives up when it is aborted, with `cancelled`. */
  readonly signal?: AbortSignal;
}

export interface DesktopSignInOptions extends SignInWaysOptions {
  /** Opens an address in the system's browser; false (or a promise of it): it could not. */
  readonly openUrl: (url: string) => unknown;
  /** Listens at a port of this machine. */
  readonly listen: Listen;
  /** Whom to ask; by default the only one there is. */
  readonly issuer?: string;
  /**
   * Signs in with the issuer's ID token, as `(token) => client.authenticate(token)`; the browser is told what comes of it.
   * Left out: the caller does, with what `desktopSignIn` gives.
   */
  readonly authenticate?: (token: string) => Promise<unknown>;
  /** The program's client id at an issuer; by default the second that the hub names (the first is the page's), or the only one. */
  readonly clientIds?: Readonly<Record<string, string>>;
  /** What an issuer gave beside the id, as Google does. */
  readonly clientSecrets?: Readonly<Record<string, string>>;
  readonly scopes?: string;
  /** The address with which the person will sign in, if it is known. */
  readonly loginHint?: string;
  /** Milliseconds within which the browser has to come back. */
  readonly timeout?: number;
  readonly texts?: Partial<ReturnTexts>;
  readonly clock?: Clock;
}

/** Ask a hub which ways to sign in there are; none, if it has no sign-in. SignInError: `hub_unreachable`, `cancelled`. */
export async function signInWays(options: SignInWaysOptions): Promise<SignInWays> {
  return orCancelled(options.signal, async (signal) => waysOf(options.url, httpOf(options, signal)));
}

/**
 * Sign in with the system's browser (PKCE, RFC 7636; a port of this machine, RFC 8252; state and nonce).
 * @returns The issuer's ID token, for `client.authenticate`: the hub's own tokens come of it, and are kept by the client's store.
 * SignInError: it did not work; `code` says why. What `authenticate` throws is thrown on.
 */
export async function desktopSignIn(options: DesktopSignInOptions): Promise<string> {
  return orCancelled(options.signal, async (signal) => {
    const http = httpOf(options, signal);
    const { issuer, clientIds } = choose(await waysOf(options.url, http), options.issuer);
    const { scopes = "openid email profile", clientSecrets = {} } = options;
    const clientId = options.clientIds?.[issuer] ?? clientIds[Math.min(1, clientIds.length - 1)]!;
    return attempt(options, http, issuer, { clientId, secret: clientSecrets[issuer], scopes });
  });
}

async function attempt(options: DesktopSignInOptions, http: Http, issuer: string, program: Program): Promise<string> {
  const { clock = systemClock, timeout = 300_000, listen, openUrl, loginHint } = options;
  const endpoints = await discover(http, issuer);
  const secrets = new Attempt();
  const point = new ReturnPoint(secrets.state, issuer, options.texts);
  const listener = await listen(point.arrived).catch((cause: unknown) => {
    throw new SignInError("no_browser", `there is no port to which a browser comes back: ${plainly(cause)}`, { cause });
  });
  try {
    point.address = listener.address;
    http.signal.throwIfAborted();
    // an answer is enough: who opens the browser may wait until it is closed
    const unshown = notShown(openUrl, await question(endpoints, program, secrets, listener.address, loginHint));
    const late = (): Error => new SignInError("timed_out", `the browser did not come back within ${timeout / 1000} s`);
    const code = await within(clock, timeout, Promise.race([point.code, unshown, aborted(http.signal)]), late);
    const token = await exchange(http, endpoints, program, secrets, code, listener.address, clock);
    await options.authenticate?.(token);
    point.settle(null);
    return token;
  } catch (error) {
    point.settle(asShown(error));
    throw error;
  } finally {
    point.settle(new SignInError("cancelled", "it was cancelled")); // unless it is settled
    await listener.close();
  }
}

async function waysOf(url: string, http: Http): Promise<SignInWays> {
  const { status, json } = await http.get(besideSocket(socketUrl(url), "/auth/config"), "the server", "hub_unreachable");
  if (status === 404) return { issuers: [], email: false, development: false };
  if (status !== 200) throw new SignInError("hub_unreachable", `the server answered with status ${status}`);
  const issuers = (Array.isArray(json.issuers) ? json.issuers : []).flatMap(wayOf);
  issuers.sort((a, b) => Number(isGoogle(b.issuer)) - Number(isGoogle(a.issuer)) || (a.issuer < b.issuer ? -1 : 1));
  return { issuers, email: json.email === true, development: json.development === true };
}

function wayOf(found: { issuer?: unknown; clientIds?: unknown } | null): IssuerWay[] {
  const { issuer, clientIds } = found ?? {};
  if (typeof issuer !== "string" || !Array.isArray(clientIds) || !clientIds.length) return [];
  return [{ issuer, name: hostOf(issuer), clientIds: clientIds.map(String) }];
}

function choose({ issuers }: SignInWays, issuer: string | undefined): IssuerWay {
  const found = issuers.filter((way) => issuer === undefined || way.issuer === issuer);
  if (found.length === 1) return found[0]!;
  const known = issuers.map((way) => way.issuer).join(", ") || "none";
  throw new SignInError("no_such_way", `name an issuer that the server knows (${known})`);
}

/** Show an address; end only if that cannot be done. */
async function notShown(openUrl: (url: string) => unknown, url: string): Promise<never> {
  const shown = await Promise.resolve(url).then(openUrl).catch((cause: unknown) => {
    throw new SignInError("no_browser", `the browser could not be opened: ${plainly(cause)}`, { cause });
  });
  if (shown === false) throw new SignInError("no_browser", "the browser could not be opened");
  return new Promise(() => undefined);
}

function httpOf({ fetch = globalThis.fetch }: SignInWaysOptions, signal: AbortSignal): Http {
  return new Http((url, init) => fetch(url, init), signal);
}

/** Run something until the signal is aborted, which is `cancelled`. */
async function orCancelled<T>(given: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = given ?? new AbortController().signal;
  try {
    signal.throwIfAborted();
    return await run(signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw new SignInError("cancelled", "it was cancelled", { cause: error });
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

/** What the browser is told of an error: no more than what people may read. */
function asShown(error: unknown): SignInError {
  return error instanceof SignInError ? error : new SignInError("code_refused", "the server does not accept the sign-in");
}

function plainly(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
