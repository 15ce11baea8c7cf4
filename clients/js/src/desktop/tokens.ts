/** The hub's tokens in the system's own store: Keychain, Credential Manager, Secret Service. */
import { within, systemClock, type Clock } from "../clock.js";
import type { TokenSet, TokenStore } from "../credentials.js";
import { objectIn } from "./http.js";

/** A place for one short text, as a keyring has it; its functions may take their time. */
export interface SecretStore {
  /** Give the text that was kept; null for none. */
  load(): Promise<string | null> | string | null;
  /** Keep a text; null: forget it. */
  save(text: string | null): unknown;
}

export interface SystemTokensOptions {
  /** Called once, with why tokens outlive the program nowhere; by default it goes to the console. */
  readonly warned?: (reason: string) => void;
  /** Milliseconds for the store to answer; it may ask the person for its password first. */
  readonly patience?: number;
  readonly clock?: Clock;
}

/**
 * Make a store of tokens from the system's. What it keeps is read once, now; after that it is told of what is new, in order.
 * Only what signs in again is kept, as some keyrings hold little more than a thousand characters. When the system's store
 * fails, tokens are held in memory. A program with several windows has one of these, which all of them ask: a refresh token is
 * good for one renewal.
 */
export async function systemTokens(secrets: SecretStore, options: SystemTokensOptions = {}): Promise<TokenStore> {
  const { patience = 10_000, clock = systemClock, warned = (reason: string) => console.warn(reason) } = options;
  let works = true;
  const fail = (error: unknown): null => {
    if (works) warned(`you will have to sign in again at the next start: ${error instanceof Error ? error.message : String(error)}`);
    works = false;
    return null;
  };
  const timely = <T>(ask: () => T | Promise<T>): Promise<T> =>
    within(clock, patience, (async () => ask())(), () => new Error("the system's store does not answer"));
  let held = tokensIn(await timely(() => secrets.load()).catch(fail));
  let saved = Promise.resolve<unknown>(undefined);
  return {
    load: () => held,
    save(tokens) {
      const before = textOf(held);
      held = tokens;
      const text = textOf(tokens);
      if (text !== before) saved = saved.then(() => (works ? timely(() => secrets.save(text)).catch(fail) : undefined));
    },
  };
}

/** Give what is kept of tokens: what renews them, or the token if there is no other. */
export function textOf(tokens: TokenSet | null): string | null {
  if (!tokens) return null;
  const { token, refreshToken } = tokens;
  return JSON.stringify(refreshToken === null ? { token } : { refreshToken });
}

/** Give the tokens in a text that was kept; null if there are none. */
export function tokensIn(text: string | null): TokenSet | null {
  const { token, refreshToken } = objectIn(text ?? "");
  const [one, other] = [token, refreshToken].map((found) => (typeof found === "string" && found ? found : null));
  return one || other ? { token: one ?? null, refreshToken: other ?? null, expiresAt: null } : null;
}
