/** Read the e-mail address in an ID token, unverified: only for a name under which this browser keeps things. */
export function emailOf(token: string): string | null {
  try {
    const claims: unknown = JSON.parse(textOf(token.split(".")[1]!));
    const email = (claims as { email?: unknown }).email;
    return typeof email === "string" ? email.toLowerCase() : null;
  } catch {
    return null;
  }
}

function textOf(base64url: string): string {
  const binary = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
}
