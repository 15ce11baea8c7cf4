/** Signing in by a code that comes by mail, and by name alone on a server for development. */
import { useState, type FormEvent, type ReactElement } from "react";
import { sessions } from "../session/session.ts";
import { Button, TextField } from "../ui/controls.tsx";
import { codeOf, describe } from "../ui/errors.ts";
import { askForCode } from "./email-code.ts";

/** Run what a form sends, with its state. */
function useSubmit(send: () => Promise<void>, refused = "This was not accepted."): { busy: boolean; problem: string | null; submit: (event: FormEvent) => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    send().catch((error: unknown) => setProblem(codeOf(error) === "invalid_token" ? refused : describe(error))).finally(() => setBusy(false));
  };
  return { busy, problem, submit };
}

export function CodeForm(): ReactElement {
  const [asked, setAsked] = useState<{ email: string; challenge: string } | null>(null);
  return asked ? <EnterCode {...asked} onBack={() => setAsked(null)} /> : <AskForCode onAsked={setAsked} />;
}

function AskForCode({ onAsked }: { onAsked: (asked: { email: string; challenge: string }) => void }): ReactElement {
  const [email, setEmail] = useState("");
  const { busy, problem, submit } = useSubmit(async () => onAsked({ email, challenge: await askForCode(email) }));
  return (
    <form className="form" onSubmit={submit}>
      <TextField label="E-mail address" type="email" required autoComplete="email" value={email} problem={problem} onChange={(event) => setEmail(event.target.value.trim())} />
      <Button type="submit" kind="primary" icon="mail" busy={busy}>Send me a code</Button>
    </form>
  );
}

function EnterCode({ email, challenge, onBack }: { email: string; challenge: string; onBack: () => void }): ReactElement {
  const [code, setCode] = useState("");
  const { busy, problem, submit } = useSubmit(() => sessions.signIn(email, `email-code:${challenge}:${code.replace(/\D/g, "")}`), "This is not the code, or it is too old.");
  return (
    <form className="form" onSubmit={submit}>
      <p>We have sent a code to <strong>{email}</strong>. It is good for ten minutes.</p>
      <TextField
        label="Code" required autoFocus inputMode="numeric" autoComplete="one-time-code" pattern="[0-9 \-]{8,16}" className="code"
        value={code} problem={problem} onChange={(event) => setCode(event.target.value)}
      />
      <Button type="submit" kind="primary" busy={busy}>Sign in</Button>
      <Button kind="plain" onClick={onBack}>Use another address</Button>
    </form>
  );
}

export function DevelopmentForm(): ReactElement {
  const [email, setEmail] = useState("");
  const { busy, problem, submit } = useSubmit(() => sessions.signIn(email, `dev:${email}`));
  return (
    <form className="form development" onSubmit={submit}>
      <TextField
        label="Sign in as" type="email" required placeholder="anna@example.org" autoComplete="off" value={email} problem={problem}
        hint="This server runs for development and believes any address." onChange={(event) => setEmail(event.target.value.trim().toLowerCase())}
      />
      <Button type="submit" busy={busy}>Sign in for development</Button>
    </form>
  );
}
