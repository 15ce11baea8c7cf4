/** The hub's tokens in a file that only this person's system can read. Runs under Node, too. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { TokenSet, TokenStore } from "synovia-client";
import { textOf, tokensIn } from "synovia-client/desktop";

/** The part of Electron's safeStorage that is needed. */
export interface Cipher {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(encrypted: Buffer): string;
}

/** One store for all windows, since a refresh token is good for one renewal. Without a cipher tokens live in memory. */
export class TokenFile implements TokenStore {
  #held: TokenSet | null;

  constructor(
    readonly path: string,
    readonly cipher: Cipher,
  ) {
    this.#held = this.#read();
  }

  load(): TokenSet | null {
    return this.#held;
  }

  save(tokens: TokenSet | null): void {
    this.#held = tokens;
    const text = textOf(tokens);
    if (text === null) rmSync(this.path, { force: true });
    else if (this.cipher.isEncryptionAvailable()) this.#write(this.cipher.encryptString(text));
  }

  #read(): TokenSet | null {
    try {
      return this.cipher.isEncryptionAvailable() ? tokensIn(this.cipher.decryptString(readFileSync(this.path))) : null;
    } catch {
      return null; // there is none yet, or it is another system's
    }
  }

  #write(bytes: Buffer): void {
    const fresh = `${this.path}.new`;
    writeFileSync(fresh, bytes, { mode: 0o600 });
    renameSync(fresh, this.path);
  }
}
