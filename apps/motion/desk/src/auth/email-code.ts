/** Ask the server to send a code by mail. */
import { recall, remember } from "../browser/storage.ts";

const ASKED = "motion-desk:asked";
const GOOD_MS = 15 * 60_000;

class CodeRefused extends Error {
  override readonly name = "CodeRefused";
}

/** Give the challenge, together with which the code counts. CodeRefused: it was not sent; the message says why. */
export async function askForCode(email: string): Promise<string> {
  const response = await fetch("auth/email", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email }),
  }).catch(() => null);
  if (!response) throw new CodeRefused("The server cannot be reached at the moment.");
  if (response.status === 429) throw new CodeRefused(`Too many codes were asked for. Try again ${after(response.headers.get("retry-after"))}.`);
  if (response.status === 400) throw new CodeRefused("This does not look like an e-mail address.");
  if (!response.ok) throw new CodeRefused("The code cannot be sent at the moment. Please try again later.");
  remember(ASKED, Date.now());
  return ((await response.json()) as { challenge: string }).challenge;
}

/** Whether this browser has asked for a mail that may still be good. */
export function hasAskedLately(): boolean {
  const since = Date.now() - (recall<number>(ASKED) ?? 0);
  return since >= 0 && since < GOOD_MS;
}

function after(header: string | null): string {
  const seconds = Number(header);
  if (!header || !Number.isFinite(seconds)) return "later";
  return seconds > 90 ? `in ${Math.ceil(seconds / 60)} minutes` : `in ${Math.ceil(seconds)} seconds`;
}
