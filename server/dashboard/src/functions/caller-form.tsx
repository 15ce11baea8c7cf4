/** As whom a function is called. */
import type { Caller } from "../api/hub.ts";

export function CallerForm({ caller, change }: { caller: Caller; change: (caller: Caller) => void }) {
  const set = (part: Partial<Caller>): void => change({ ...caller, ...part });
  return (
    <fieldset className="caller">
      <label className="argument">
        <span>Called by</span>
        <select value={caller.who} onChange={({ target }) => change({ who: target.value as Caller["who"] })}>
          <option value="application">the application (access is not checked)</option>
          <option value="nobody">nobody who is signed in</option>
          <option value="user">somebody…</option>
        </select>
      </label>
      {caller.who === "user" && (
        <div className="who-fields">
          <input aria-label="Issuer" placeholder="issuer" required value={caller.issuer ?? ""} onChange={({ target }) => set({ issuer: target.value })} />
          <input aria-label="Subject" placeholder="subject" required value={caller.subject ?? ""} onChange={({ target }) => set({ subject: target.value })} />
          <input
            aria-label="E-mail"
            placeholder="e-mail"
            type="email"
            value={caller.email ?? ""}
            onChange={({ target }) => {
              const { email: _, ...rest } = caller;
              change(target.value ? { ...rest, email: target.value } : rest);
            }}
          />
        </div>
      )}
    </fieldset>
  );
}
