/** What the page may ask of the main process, and nothing else. */
import type { TokenSet } from "synovia-client";
import type { SignInWays } from "synovia-client/desktop";

/** The outcome of an attempt to sign in: an issuer's ID token, or why there is none. */
export type SignInAnswer = { readonly token: string } | { readonly code: string; readonly message: string };

export interface Bridge {
  /** The hub's address. */
  readonly hub: string;
  /** The hub's tokens; they are kept by the main process, for all windows. */
  readonly tokens: { load(): TokenSet | null; save(tokens: TokenSet | null): void };
  ways(): Promise<SignInWays>;
  /** Sign in with the system's browser; another attempt takes the place of one that runs. */
  signIn(issuer: string): Promise<SignInAnswer>;
  cancelSignIn(): void;
}

declare global {
  interface Window {
    readonly desktop: Bridge;
  }
}
