/** An OpenID Connect issuer as a program sees it: where to send the browser, where to exchange a code, what a token says. */
import type { Clock } from "../clock.js";
import { SignInError } from "./errors.js";
import { objectIn, type Http } from "./http.js";

const GOOGLE = "https://accounts.google.com";
const GOOGLE_TOO = "accounts.google.com";
/** Milliseconds by which the issuer's clock and ours may differ; the hub looks more closely. */
const LEEWAY = 120_000;

/** The program as an issuer knows it. */
export interface Program {
  readonly clientId: string;
  /** What some issuers (Google) give to programs beside the id, and want to see; it protects nothing. */
  readonly secret: string | undefined;
  readonly scopes: string;
}

/** The secrets of one attempt to sign in; each is used once. */
export class Attempt {
  readonly state = secret(32);
  readonly nonce = secret(32);
  readonly verifier = secret(48);

  /** Give the verifier's S256 challenge (RFC 7636). */
  async challenge(): Promise<string> {
    return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(this.verifier))));
  }
}

/** Where an issuer does what. */
export interface Endpoints {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
}

/** Give the address to which the browser is sent. */
export async function question(
  endpoints: Endpoints,
  program: Program,
  attempt: Attempt,
  redirect: string,
  loginHint?: string,
): Promise<string> {
  const url = new URL(endpoints.authorization);
  const fields = {
    response_type: "code",
    client_id: program.clientId,
    redirect_uri: redirect,
    scope: program.scopes,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await attempt.challenge(),
    code_challenge_method: "S256",
    ...(loginHint !== undefined && { login_hint: loginHint }),
  };
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

/** Ask an issuer where it does what. SignInError: it cannot be reached, or its answer is not usable. */
export async function discover(http: Http, issuer: string): Promise<Endpoints> {
  const bad = (reason: string): SignInError =>
    new SignInError("bad_issuer", `${hostOf(issuer)} cannot sign in programs: ${reason}`);
  if (!isSecure(issuer)) throw bad("its address is not https");
  const url = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  const { status, json } = await http.get(url, hostOf(issuer), "issuer_unreachable");
  if (status !== 200 || json.issuer !== issuer) throw bad("its configuration is missing, or another issuer's");
  const methods = json.code_challenge_methods_supported;
  if (Array.isArray(methods) && !methods.includes("S256")) throw bad("it does not take PKCE with S256");
  const { authorization_endpoint: authorization, token_endpoint: token } = json;
  if (!isSecure(authorization) || !isSecure(token)) throw bad("an address of its configuration is not https");
  return { issuer, authorization, token };
}

/**
 * Exchange a code for an ID token, and check that it is the answer to this attempt. The hub checks the signature; who gave it
 * is certain here, since it came straight from the issuer. SignInError: the issuer refuses, or the token is not for us.
 */
export async function exchange(
  http: Http,
  endpoints: Endpoints,
  program: Program,
  attempt: Attempt,
  code: string,
  redirect: string,
  clock: Clock,
): Promise<string> {
  const fields = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirect,
    client_id: program.clientId,
    code_verifier: attempt.verifier,
    ...(program.secret !== undefined && { client_secret: program.secret }),
  };
  const host = hostOf(endpoints.issuer);
  const { status, json } = await http.post(endpoints.token, fields, host, "issuer_unreachable");
  if (status !== 200) throw new SignInError("code_refused", `${host} does not sign in: ${reasonIn(json)}`);
  const token = json.id_token;
  if (typeof token !== "string") throw new SignInError("bad_token", `${host} gave no ID token`);
  check(token, endpoints, program, attempt, clock);
  return token;
}

function check(token: string, { issuer }: Endpoints, program: Program, attempt: Attempt, clock: Clock): void {
  const claims = claimsOf(token);
  const given = `the token that ${hostOf(issuer)} gave`;
  if (claims.iss !== issuer && !(issuer === GOOGLE && claims.iss === GOOGLE_TOO)) {
    throw new SignInError("issuer_mismatch", `${given} is another issuer's`);
  }
  const audience: unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!audience.includes(program.clientId) || (audience.length > 1 && claims.azp !== program.clientId)) {
    throw new SignInError("audience_mismatch", `${given} is for another program`);
  }
  if (typeof claims.exp !== "number") throw new SignInError("bad_token", `${given} has no time at which it expires`);
  if (clock.date() >= claims.exp * 1000 + LEEWAY) {
    throw new SignInError("token_expired", `${given} has expired; is the clock right?`);
  }
  if (claims.nonce !== attempt.nonce) throw new SignInError("nonce_mismatch", `${given} is for another sign-in`);
}

function claimsOf(token: string): Record<string, unknown> {
  const [, payload, signature] = token.split(".");
  const claims = payload && signature !== undefined ? objectIn(textIn(payload)) : {};
  if (!Object.keys(claims).length) throw new SignInError("bad_token", "what the issuer gave is no ID token");
  return claims;
}

function textIn(payload: string): string {
  try {
    const bytes = atob(payload.replace(/-/g, "+").replace(/_/g, "/"));
    return new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)));
  } catch {
    return "";
  }
}

/** Whether something is an address that is https, or http on this machine. */
function isSecure(url: unknown): url is string {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && (hostname === "localhost" || /^127\.[\d.]+$|^\[::1\]$/.test(hostname)));
}

/** Give an issuer's name for people: Google, or its host's. */
export function hostOf(issuer: string): string {
  if (issuer === GOOGLE) return "Google";
  return URL.canParse(issuer) ? new URL(issuer).hostname : issuer.slice(0, 200);
}

/** Whether an issuer is shown first. */
export function isGoogle(issuer: string): boolean {
  return issuer === GOOGLE;
}

/** Give text from elsewhere without what could not be seen, and not too much of it. */
export function plain(text: unknown): string {
  return String(text).slice(0, 200).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
}

function reasonIn(json: Record<string, unknown>): string {
  return plain(json.error_description ?? json.error ?? "it gives no reason");
}

function secret(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
