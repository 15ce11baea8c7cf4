import { useState, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api, type ReceivedInvite } from "../api/api.ts";
import { attempt } from "../ui/act.ts";
import { Avatar, Button } from "../ui/controls.tsx";
import { fromNow } from "../ui/format.ts";

/** Invitations to answer. */
export function ReceivedInvites({ invites }: { invites: readonly ReceivedInvite[] }): ReactElement {
  return (
    <ul className="rows" aria-label="Invitations to answer">
      {invites.map((invite) => <Row key={invite._id} invite={invite} />)}
    </ul>
  );
}

function Row({ invite }: { invite: ReceivedInvite }): ReactElement {
  const accept = useMutation(api.invites.acceptReceived);
  const decline = useMutation(api.invites.decline);
  const [busy, setBusy] = useState(false);
  const answer = (work: Promise<unknown>, done: string): void => {
    setBusy(true);
    void attempt(work, done).then(() => setBusy(false));
  };
  return (
    <li className="row">
      <Avatar name={invite.fromName} size={40} />
      <div className="row-words">
        <strong>{invite.fromName}</strong>
        <span><bdi>{invite.fromEmail}</bdi> · expires {fromNow(invite.expiresAt, Date.now())}</span>
      </div>
      <div className="actions">
        <Button disabled={busy} onClick={() => answer(decline({ inviteId: invite._id }), "Declined.")}>Decline</Button>
        <Button kind="primary" busy={busy} onClick={() => answer(accept({ inviteId: invite._id }), "You are contacts now.")}>Accept</Button>
      </div>
    </li>
  );
}
