/** Where the link in an invitation leads. */
import { useState, type ReactElement } from "react";
import { useMutation, useQueryResult } from "synovia-client/react";
import { api, type InviteLook } from "../api/api.ts";
import { go, goInstead } from "../browser/route.ts";
import { sessions } from "../session/session.ts";
import { Avatar, Button, Empty, Skeleton, TextField } from "../ui/controls.tsx";
import { codeOf, describe } from "../ui/errors.ts";
import { dateOf } from "../ui/format.ts";
import { toasts } from "../ui/toasts.ts";
import { SignInWays } from "./sign-in-page.tsx";
import { Welcome } from "./welcome.tsx";

const OVER: Readonly<Record<Exclude<InviteLook["status"], "pending">, string>> = {
  accepted: "This invitation has been accepted already.",
  expired: "This invitation has expired. Ask for a new one.",
  withdrawn: "This invitation has been withdrawn.",
  declined: "This invitation has been declined.",
};

export function InvitePage({ token, signedIn }: { token: string; signedIn: boolean }): ReactElement {
  const { value: invite, error, isLoading } = useQueryResult(api.invites.look, { token });
  const toDesk = <Button kind="primary" onClick={() => go()}>Go to the desk</Button>;
  return (
    <Welcome>
      {isLoading && <Skeleton rows={3} />}
      {error && <Empty icon="alert" title="This invitation cannot be shown" action={toDesk}>{describe(error)}</Empty>}
      {invite === null && <Empty icon="mail" title="There is no such invitation" action={toDesk}>Check whether the link is complete.</Empty>}
      {invite && invite.status !== "pending" && <Empty icon="mail" title="Nothing to accept" action={toDesk}>{OVER[invite.status]}</Empty>}
      {invite?.status === "pending" && <Pending invite={invite} token={token} signedIn={signedIn} />}
    </Welcome>
  );
}

function Pending({ invite, token, signedIn }: { invite: InviteLook; token: string; signedIn: boolean }): ReactElement {
  return (
    <>
      <div className="from"><Avatar name={invite.fromName} size={52} /></div>
      <h1>{invite.fromName} invites you</h1>
      <p className="lead">
        Accept, and you become contacts: each of you can share recordings with the other. Until {dateOf(invite.expiresAt)}.
      </p>
      {signedIn ? <Accept token={token} /> : <><h2>Sign in to accept</h2><SignInWays /></>}
    </>
  );
}

function Accept({ token }: { token: string }): ReactElement {
  const { value: me, isLoading } = useQueryResult(api.users.me, {});
  const accept = useMutation(api.invites.accept);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await accept({ token, ...(name.trim() && { name: name.trim() }) });
      toasts.say("You are contacts now.");
      goInstead(me ? "contacts" : "of-me");
    } catch (error) {
      setProblem(codeOf(error) === "forbidden" ? "This invitation was sent to another address. Sign in with that one." : describe(error));
      setBusy(false);
    }
  };
  if (isLoading) return <Skeleton rows={1} />;
  return (
    <form className="form" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      {!me && <TextField label="Your name" hint="This is how your contacts see you." autoComplete="name" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />}
      {problem && <p className="problem" role="alert">{problem}</p>}
      <Button type="submit" kind="primary" busy={busy}>Accept the invitation</Button>
      <Button kind="plain" onClick={() => void sessions.signOut()}>Sign in as somebody else</Button>
    </form>
  );
}
