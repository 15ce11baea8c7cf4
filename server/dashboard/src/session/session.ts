/** The operator's session: a token for an hour, kept for this tab alone; the key itself is sent once and forgotten. */

export interface Session {
  readonly token: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly expiresAt: number;
}

const KEY = "synovia-dashboard:session";

/** Why no session could be opened. */
export class SessionRefused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function recallSession(): Session | null {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    return session && session.expiresAt > Date.now() + 5_000 ? session : null;
  } catch {
    return null;
  }
}

export function forgetSession(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // there was nothing kept
  }
}

/** Open a session with a key, or without one where this hub is developed on. */
export async function openSession(key: string | null): Promise<Session> {
  const response = await fetch("session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(key === null ? {} : { key }),
  });
  const answer = (await response.json()) as Session & { error?: { code: string; message: string } };
  if (answer.error) throw new SessionRefused(answer.error.code, answer.error.message);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(answer));
  } catch {
    // it holds until the page is left
  }
  return answer;
}

export async function endSession(session: Session): Promise<void> {
  forgetSession();
  await fetch("session/end", { method: "POST", headers: { authorization: `Bearer ${session.token}` } });
}

export function mayChange(session: Session): boolean {
  return session.roles.includes("operator");
}
