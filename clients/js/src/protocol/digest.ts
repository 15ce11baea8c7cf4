/** The digest of a result: two programs in any language that hold the same value find the same 16 bytes. */
import { packCanonical } from "./pack.js";
import { sha256 } from "./sha256.js";

/** Give the first 16 bytes of the SHA-256 of the canonical form of a wire value. */
export function digest(value: unknown): Uint8Array {
  return sha256(packCanonical(value)).slice(0, 16);
}
