import { useState, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { api, type SentInvite } from "../api/api.ts";
import { useMe } from "../session/me.ts";
import { attempt } from "../ui/act.ts";
import { Avatar, Badge, Button, Empty, Skeleton, TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { fromNow } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { Page, type PageProps } from "../ui/page.tsx";
import { ReceivedInvites } from "./received-invites.tsx";

type InviteStatus = SentInvite["status"];

const STATES: Readonly<Record<InviteStatus, { text: string; tone: "accent" | "good" | "warn" | "neutral" }>> = {
  pending: { text: "Waiting", tone: "accent" },
  accepted: { text: "Accepted", tone: "good" },
  expired: { text: "Expired", tone: "warn" },
  withdrawn: { text: "Withdrawn", tone: "neutral" },
  declined: { text: "Declined", tone: "neutral" },
};

export function InvitesPage({ openMenu }: PageProps): ReactElement {
  const canMail = useMe().role === "physiotherapist";
  const received = useQuery(api.invites.listReceived, {});
  const sent = useQuery(api.invites.listSent, {});
  const [asking, setAsking] = useState(false);
  const create = <Button kind="primary" icon="mail" onClick={() => setAsking(true)}>{canMail ? "Invite somebody" : "Ask somebody"}</Button>;
  const isEmpty = received?.length === 0 && sent?.length === 0;
  return (
    <Page title="Invitations" text="Contacts are mutual: one asks, the other accepts." actions={create} openMenu={openMenu}>
      {(!received || !sent) && <Skeleton rows={4} />}
      {received && received.length > 0 && <section><h2>To answer</h2><ReceivedInvites invites={received} /></section>}
      {sent && sent.length > 0 && (
        <section>
          <h2>Sent</h2>
          <ul className="rows" aria-label="Sent invitations">{sent.map((invite) => <Row key={invite._id} invite={invite} canMail={canMail} />)}</ul>
        </section>
      )}
      {isEmpty && <Empty icon="mail" title="No invitations" action={create}>{canMail ? "Invite a patient or a colleague by e-mail to share recordings with them." : "Invitations to you appear here."}</Empty>}
      {asking && <CreateDialog canMail={canMail} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Row({ invite, canMail }: { invite: SentInvite; canMail: boolean }): ReactElement {
  const resend = useMutation(api.invites.resend);
  const withdraw = useMutation(api.invites.withdraw);
  const { _id: inviteId, toEmail, alias, status, expiresAt, sentAt, timesSent } = invite;
  const now = Date.now();
  const again: MenuItem[] = !canMail ? [] : [{ label: "Send again", icon: "send", run: () => void attempt(resend({ inviteId }), `Sent again to ${toEmail}.`) }];
  const items: Partial<Record<InviteStatus, MenuItem[]>> = {
    pending: [...again, { label: "Withdraw", icon: "close", danger: true, run: () => void attempt(withdraw({ inviteId }), "Withdrawn.") }],
    expired: again,
  };
  const actions = items[status] ?? [];
  const times = sentAt ? `sent ${fromNow(sentAt, now)}${timesSent > 1 ? `, ${timesSent} times` : ""}` : "waits until they sign in";
  return (
    <li className="row">
      <Avatar name={alias || toEmail} size={40} />
      <div className="row-words">
        <strong>{alias || toEmail}</strong>
        <span>{alias && <><bdi>{toEmail}</bdi> · </>}{times}{status === "pending" ? ` · expires ${fromNow(expiresAt, now)}` : ""}</span>
      </div>
      <Badge tone={STATES[status].tone}>{STATES[status].text}</Badge>
      {actions.length > 0 ? <Menu label={`More for ${toEmail}`} items={actions}><Icon name="more" /></Menu> : <span className="icon-button" aria-hidden="true" />}
    </li>
  );
}

/** Ask for contact: physiotherapists by mail, patients in the list of whoever signs in with the address. */
function CreateDialog({ canMail, onClose }: { canMail: boolean; onClose: () => void }): ReactElement {
  const create = useMutation(canMail ? api.invites.create : api.contacts.add);
  const [email, setEmail] = useState("");
  const [alias, setAlias] = useState("");
  return (
    <FormDialog title={canMail ? "Invite somebody" : "Ask somebody"} submit={canMail ? "Send invitation" : "Ask"} onSubmit={() => create({ email, ...(alias.trim() && { alias: alias.trim() }) })} onClose={onClose}>
      <TextField
        label="E-mail address" type="email" required autoComplete="off" value={email}
        hint={canMail ? "They get a mail with a link. Who is new here becomes a patient." : "They see it when they sign in with this address. Nobody is told whether they have an account."}
        onChange={(event) => setEmail(event.target.value.trim())} />
      <TextField label="What you call them (optional)" hint="Only you see this." maxLength={200} value={alias} onChange={(event) => setAlias(event.target.value)} />
    </FormDialog>
  );
}
