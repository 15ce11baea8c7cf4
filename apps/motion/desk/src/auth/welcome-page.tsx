/** The first visit: what one is here. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, useQueryResult } from "synovia-client/react";
import { api } from "../api/api.ts";
import { sessions } from "../session/session.ts";
import { Button, TextField } from "../ui/controls.tsx";
import { describe } from "../ui/errors.ts";
import { Icon } from "../ui/icons.tsx";
import { ReceivedInvites } from "../people/received-invites.tsx";
import { Welcome } from "./welcome.tsx";

type Role = "physiotherapist" | "patient";

const ROLES: readonly { role: Role; title: string; text: string; icon: "activity" | "person" }[] = [
  { role: "physiotherapist", title: "Physiotherapist", text: "I measure patients, keep their recordings and share them.", icon: "activity" },
  { role: "patient", title: "Patient", text: "I want to see my own recordings and how they change.", icon: "person" },
];

export function WelcomePage(): ReactElement {
  const register = useMutation(api.users.register);
  const invites = useQueryResult(api.invites.listReceived, {}).value ?? [];
  const [role, setRole] = useState<Role | null>(null);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!role) return setProblem("Choose what you are here first.");
    setBusy(true);
    setProblem(null);
    await register({ role, ...(name.trim() && { name: name.trim() }) }).catch((error: unknown) => setProblem(describe(error)));
    setBusy(false);
  };
  return (
    <Welcome>
      <h1>Welcome</h1>
      <p className="lead">Tell us how you will use the desk.</p>
      {invites.length > 0 && <><h2>You are invited</h2><ReceivedInvites invites={invites} /><h2>Or go on without</h2></>}
      <form className="form" onSubmit={(event) => void send(event)}>
        <fieldset className="roles">
          <legend>I am a</legend>
          {ROLES.map((one) => (
            <label key={one.role} className="role">
              <input type="radio" name="role" value={one.role} checked={role === one.role} onChange={() => setRole(one.role)} />
              <Icon name={one.icon} size={22} />
              <span><strong>{one.title}</strong><small>{one.text}</small></span>
            </label>
          ))}
        </fieldset>
        <TextField label="Your name" hint="This is how your contacts see you." autoComplete="name" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Button type="submit" kind="primary" busy={busy}>Open the desk</Button>
        <Button kind="plain" onClick={() => void sessions.signOut()}>Sign in as somebody else</Button>
      </form>
    </Welcome>
  );
}
