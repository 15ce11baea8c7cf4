/** Signing in with the system's browser, one attempt at a time. Runs under Node, too. */
import { desktopSignIn, SignInError, signInWays, type SignInWays } from "synovia-client/desktop";
import { listen } from "synovia-client/desktop/node";
import type { SignInAnswer } from "../bridge.ts";

export class SignIn {
  #running: AbortController | null = null;

  /** @param openUrl Opens an address in the system's browser. */
  constructor(
    readonly hub: string,
    readonly openUrl: (url: string) => unknown,
  ) {}

  ways(): Promise<SignInWays> {
    return signInWays({ url: this.hub });
  }

  /** Sign in at an issuer. Errors are values: those that are thrown lose their code on the way to the page. */
  async with(issuer: string): Promise<SignInAnswer> {
    this.cancel();
    const running = (this.#running = new AbortController());
    try {
      const { hub: url, openUrl } = this;
      return { token: await desktopSignIn({ url, openUrl, listen, issuer, signal: running.signal }) };
    } catch (error) {
      if (error instanceof SignInError) return { code: error.code, message: error.message };
      throw error;
    }
  }

  cancel(): void {
    this.#running?.abort();
  }
}
