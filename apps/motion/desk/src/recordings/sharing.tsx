/** With whom a recording is shared, and with whom it could be. */
import { useState, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api, type Recording } from "../api/api.ts";
import { linkTo } from "../browser/route.ts";
import { attempt } from "../ui/act.ts";
import { Avatar, IconButton } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";
import { shared, unshared } from "./edits.ts";
import { nameOf, shownName, type People } from "./naming.ts";

const SEARCHED_FROM = 6;

export function Sharing({ recording, people }: { recording: Recording; people: People }): ReactElement {
  const share = useMutation(api.recordings.share).withOptimisticUpdate(shared);
  const unshare = useMutation(api.recordings.unshare).withOptimisticUpdate(unshared);
  const [text, setText] = useState("");
  const { _id: recordingId, sharedWith = [], isArchived } = recording;
  const others = [...people.byId.values()].filter(({ userId }) => !sharedWith.includes(userId));
  const found = others.filter((contact) => `${shownName(contact)} ${contact.email}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <section className="card" aria-label="Sharing">
      <h2>Shared with</h2>
      {sharedWith.length === 0 && <p className="muted">Only you see this recording{recording.subjectId && recording.subjectId !== people.me._id ? ", and the person measured" : ""}.</p>}
      <ul className="people">
        {sharedWith.map((userId) => (
          <li key={userId}>
            <Avatar name={nameOf(people, userId)} size={28} />
            <span>{nameOf(people, userId)}</span>
            <IconButton icon="close" label={`Stop sharing with ${nameOf(people, userId)}`} onClick={() => void attempt(unshare({ recordingId, userId }))} />
          </li>
        ))}
      </ul>
      {!isArchived && others.length > 0 && (
        <details className="add-people">
          <summary><Icon name="plus" size={16} /> Share with a contact</summary>
          {others.length >= SEARCHED_FROM && <input type="search" aria-label="Search contacts" placeholder="Search contacts" value={text} onChange={(event) => setText(event.target.value)} />}
          <ul className="people">
            {found.map((contact) => (
              <li key={contact.userId}>
                <button type="button" onClick={() => void attempt(share({ recordingId, userId: contact.userId }))}>
                  <Avatar name={shownName(contact)} size={28} />
                  <span>{shownName(contact)}<small>{contact.email}</small></span>
                  <Icon name="plus" size={16} />
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
      {people.byId.size === 0 && <p className="muted">You can share with contacts. <a href={linkTo("invites")}>Invite somebody</a></p>}
    </section>
  );
}
