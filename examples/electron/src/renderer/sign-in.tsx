/** The ways to sign in that the hub offers. */
import { useEffect, useState, type FormEvent } from "react";
import type { SignInWays } from "synovia-client/desktop";
import { useAuth } from "synovia-client/react";

const { desktop } = window;

export function SignIn() {
  const { signIn, error } = useAuth();
  const [ways, setWays] = useState<SignInWays | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [waitsFor, setWaitsFor] = useState<string | null>(null);

  useEffect(() => {
    desktop.ways().then(setWays, (error: unknown) => setTrouble(String(error)));
  }, []);

  const attempt = async (name: string, token: () => Promise<string | null>): Promise<void> => {
    setTrouble(null);
    setWaitsFor(name);
    try {
      const given = await token();
      if (given !== null) await signIn(given);
    } catch (error) {
      setTrouble((error as Error).message);
    } finally {
      setWaitsFor(null);
    }
  };
  const withBrowser = (issuer: string) => async (): Promise<string | null> => {
    const answer = await desktop.signIn(issuer);
    if ("token" in answer) return answer.token;
    if (answer.code === "cancelled") return null;
    throw new Error(answer.message);
  };
  const asDeveloper = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const email = String(new FormData(event.currentTarget).get("email"));
    void attempt(email, async () => `dev:${email}`);
  };

  if (waitsFor) {
    return (
      <section className="card">
        <h2>Go on in your browser</h2>
        <p className="quiet">Sign in at {waitsFor} there; this window goes on by itself.</p>
        <button className="quiet" onClick={desktop.cancelSignIn}>Cancel</button>
      </section>
    );
  }
  return (
    <section className="card">
      <h2>Sign in</h2>
      {(trouble ?? error) && <p role="alert">{trouble ?? error!.message}</p>}
      {ways?.issuers.map(({ issuer, name }) => (
        <button key={issuer} onClick={() => void attempt(name, withBrowser(issuer))}>Sign in with {name}</button>
      ))}
      {ways?.development && (
        <form onSubmit={asDeveloper}>
          <input name="email" type="email" required aria-label="E-mail address" placeholder="you@example.org" />
          <button className="quiet">Sign in as developer</button>
        </form>
      )}
    </section>
  );
}
