import { useState, type FormEvent } from "react";

export function SignInPage({ trouble, open }: { trouble: string | null; open: (key: string) => Promise<void> }) {
  const [error, setError] = useState<string | null>(trouble);
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget).get("key") ?? "").trim();
    setBusy(true);
    try {
      await open(key);
    } catch (failure) {
      setError((failure as Error).message);
      setBusy(false);
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <img src="mark.svg" alt="" width="36" height="36" />
        <h1>Synovia</h1>
        <p>The dashboard of this hub, for whoever runs it.</p>
        <label>
          Operator key
          <input name="key" type="password" autoComplete="off" autoFocus required placeholder="synovia-key-…" aria-describedby="how" />
        </label>
        {error && (
          <p role="alert" className="alert">
            {error}
          </p>
        )}
        <button className="primary" disabled={isBusy}>
          {isBusy ? "Opening…" : "Open"}
        </button>
        <p id="how" className="hint">
          Made by <code>synovia key create NAME --role operator</code>, or <code>operator-read</code> for one that only looks. The session is over
          after an hour.
        </p>
      </form>
    </main>
  );
}
