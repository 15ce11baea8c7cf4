/** What went wrong, in the words of those who use the desk. */

const TEXTS: Readonly<Record<string, string>> = {
  already_a_contact: "You are contacts already.",
  already_registered: "This account exists already.",
  already_invited: "You have asked this person already, and the invitation still waits.",
  archived: "This is in the archive. Restore it first.",
  array_not_found: "The samples of this recording cannot be found.",
  busy: "This is being worked on. Please try again in a moment.",
  client_closed: "You have signed out meanwhile.",
  connection_lost: "The connection broke, so nobody knows whether this was done. Have a look before you try again.",
  email_missing: "The sign-in did not tell us an e-mail address, which an account needs.",
  email_taken: "Another account has this e-mail address.",
  empty: "There are no samples yet.",
  finished: "This session is finished already.",
  invalid_arguments: "The server did not accept what was entered.",
  invalid_token: "This sign-in was not accepted. Please try again.",
  invite_accepted: "This invitation has been accepted already.",
  invite_declined: "This invitation has been declined.",
  invite_expired: "This invitation has expired. Ask for a new one.",
  invite_withdrawn: "This invitation has been withdrawn.",
  last_admin: "There has to be at least one administrator.",
  limit_exceeded: "That is more than is allowed. Please wait a little, or remove something first.",
  not_a_contact: "This person is not among your contacts.",
  not_archived: "This is not in the archive.",
  not_found: "This does not exist, or is not shared with you.",
  not_registered: "Finish setting up your account first.",
  out_of_order: "Samples arrived in the wrong order.",
  overloaded: "The server has too much to do at the moment. Please try again soon.",
  own_invite: "This is your own invitation. Sign in as the one you have invited.",
  rate_limited: "That was a little too often. Please wait and try again.",
  request_expired: "This change waited too long to be sent. Check whether it is there, and make it again if not.",
  server_error: "The server cannot do this at the moment. Please try again later.",
  timeout: "The server did not answer in time. Please try again.",
  too_large: "That is too large.",
  unauthenticated: "Your session has ended. Please sign in again.",
  unknown_function: "This server does not offer that yet.",
};

/** Codes whose message says more than a fixed text could: it names the field, the line or the limit. */
const TELLING = new Set(["invalid_arguments", "limit_exceeded", "forbidden"]);

export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : null;
}

/** Say what an error means. */
export function describe(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : "";
  if (code === "forbidden" && !message) return "You may not do this.";
  if (code !== null && TELLING.has(code) && message) return sentence(message);
  return TEXTS[code ?? ""] ?? (message ? sentence(message) : "Something went wrong. Please try again.");
}

/** Make a sentence of a message for programmers, or the end of one. */
export function sentence(message: string, begins = true): string {
  const text = message.trim();
  const begun = begins ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
