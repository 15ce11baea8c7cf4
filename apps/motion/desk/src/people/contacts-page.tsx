import { useState, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { api, type ContactView } from "../api/api.ts";
import { go, linkTo } from "../browser/route.ts";
import { shownName } from "../recordings/naming.ts";
import { Avatar, Badge, Empty, Skeleton, TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { dateOf } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu } from "../ui/menu.tsx";
import { Page, type PageProps } from "../ui/page.tsx";
import { ROLE_NAMES } from "./roles.ts";

type Asking = { readonly what: "alias" | "remove"; readonly contact: ContactView } | null;

const SEARCHED_FROM = 8;

export function ContactsPage({ openMenu }: PageProps): ReactElement {
  const contacts = useQuery(api.contacts.listMine, {});
  const [text, setText] = useState("");
  const [asking, setAsking] = useState<Asking>(null);
  const shown = contacts?.filter((contact) => `${contact.alias ?? ""} ${contact.name} ${contact.email}`.toLowerCase().includes(text.trim().toLowerCase()));
  const invite = <a className="button primary" href={linkTo("invites")}><Icon name="mail" /><span>Add somebody</span></a>;
  return (
    <Page title="Contacts" text="People you record and share with. Being a contact shows nobody anything by itself." actions={invite} openMenu={openMenu}>
      {!contacts && <Skeleton rows={5} />}
      {contacts?.length === 0 && <Empty icon="contacts" title="No contacts yet" action={invite}>Who accepts your invitation appears here.</Empty>}
      {contacts && contacts.length >= SEARCHED_FROM && (
        <div className="filters"><div className="search"><Icon name="search" size={16} /><input type="search" aria-label="Search contacts" placeholder="Search" value={text} onChange={(event) => setText(event.target.value)} /></div></div>
      )}
      {shown && shown.length > 0 && (
        <ul className="rows" aria-label="Contacts">
          {shown.map((contact) => <Row key={contact.userId} contact={contact} onAsk={(what) => setAsking({ what, contact })} />)}
        </ul>
      )}
      {asking?.what === "alias" && <AliasDialog contact={asking.contact} onClose={() => setAsking(null)} />}
      {asking?.what === "remove" && <RemoveDialog contact={asking.contact} onClose={() => setAsking(null)} />}
    </Page>
  );
}

function Row({ contact, onAsk }: { contact: ContactView; onAsk: (what: "alias" | "remove") => void }): ReactElement {
  return (
    <li className="row">
      <Avatar name={shownName(contact)} size={40} />
      <div className="row-words">
        <strong>{shownName(contact)}</strong>
        <span>{contact.alias && contact.alias !== contact.name && <><bdi>{contact.name}</bdi> · </>}{contact.email}</span>
      </div>
      <Badge tone={contact.role === "physiotherapist" ? "accent" : "neutral"}>{ROLE_NAMES[contact.role]}</Badge>
      <span className="row-when">since {dateOf(contact.addedAt)}</span>
      <Menu
        label={`More for ${shownName(contact)}`}
        items={[
          { label: "Show recordings", icon: "activity", run: () => go("recordings", "of", contact.userId) },
          { label: "Change alias", icon: "edit", run: () => onAsk("alias") },
          { label: "Remove contact", icon: "trash", danger: true, run: () => onAsk("remove") },
        ]}
      >
        <Icon name="more" />
      </Menu>
    </li>
  );
}

function AliasDialog({ contact, onClose }: { contact: ContactView; onClose: () => void }): ReactElement {
  const setAlias = useMutation(api.contacts.setAlias);
  const [alias, set] = useState(contact.alias ?? "");
  return (
    <FormDialog title="Change alias" submit="Save" onSubmit={() => setAlias({ userId: contact.userId, alias: alias.trim() })} onClose={onClose}>
      <TextField label={`What you call ${contact.name}`} hint="Only you see this. Leave it empty to use the name." maxLength={200} value={alias} onChange={(event) => set(event.target.value)} />
    </FormDialog>
  );
}

function RemoveDialog({ contact, onClose }: { contact: ContactView; onClose: () => void }): ReactElement {
  const remove = useMutation(api.contacts.remove);
  return (
    <FormDialog title="Remove contact" submit="Remove" danger onSubmit={() => remove({ userId: contact.userId })} onClose={onClose}>
      <p><strong>{shownName(contact)}</strong> and you will no longer be contacts, and nothing stays shared between you, in either direction. Recordings of a person stay visible to that person.</p>
    </FormDialog>
  );
}
