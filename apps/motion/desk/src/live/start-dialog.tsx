import { useState, type ReactElement } from "react";
import { useMutation, useSynovia } from "synovia-client/react";
import { api, type ContactView } from "../api/api.ts";
import { go } from "../app/route.ts";
import { shownName, type People } from "../recordings/naming.ts";
import { Select, TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { SAMPLE_RATE, sensors } from "./sensor.ts";

const ME = "me";
const OTHER = "other";

/** Who is measured, who may watch, and with what. */
export function StartDialog({ people, onClose }: { people: People; onClose: () => void }): ReactElement {
  const client = useSynovia();
  const start = useMutation(api.live.start);
  const contacts = [...people.byId.values()];
  const [subject, setSubject] = useState<string>(people.me.role === "patient" ? ME : (contacts[0]?.userId ?? OTHER));
  const [alias, setAlias] = useState("");
  const [watchers, setWatchers] = useState<readonly ContactView["userId"][]>([]);
  const send = async (): Promise<void> => {
    const subjectId = subject === ME ? people.me._id : contacts.find(({ userId }) => userId === subject)?.userId;
    const named = subjectId ? { subjectId } : { subjectAlias: alias.trim() };
    const sessionId = await start({ sampleRate: SAMPLE_RATE, ...named, sharedWith: watchers });
    sensors.start(client, sessionId);
    go("live", sessionId);
  };
  const toggle = (id: ContactView["userId"]): void => setWatchers(watchers.includes(id) ? watchers.filter((one) => one !== id) : [...watchers, id]);
  return (
    <FormDialog title="Start a live session" submit="Start measuring" onSubmit={send} onClose={onClose}>
      <Select label="Who is measured?" autoFocus value={subject} onChange={(event) => setSubject(event.target.value)}>
        {contacts.map((contact) => <option key={contact.userId} value={contact.userId}>{shownName(contact)}</option>)}
        <option value={ME}>Myself</option>
        <option value={OTHER}>Somebody without an account</option>
      </Select>
      {subject === OTHER && <TextField label="Name" required maxLength={200} value={alias} onChange={(event) => setAlias(event.target.value)} />}
      {contacts.length > 0 && (
        <div className="field">
          <span className="label" id="watchers">Who else may watch?</span>
          <div className="chips wrap" role="group" aria-labelledby="watchers">
            {contacts.filter(({ userId }) => userId !== subject).map((contact) => (
              <button key={contact.userId} type="button" className="chip" aria-pressed={watchers.includes(contact.userId)} onClick={() => toggle(contact.userId)}>{shownName(contact)}</button>
            ))}
          </div>
          <p className="hint">Whoever is measured always sees it.</p>
        </div>
      )}
      <p className="sensor"><strong>Simulated sensor</strong> {SAMPLE_RATE} Hz a side, a generated gait. For demonstrations: nobody is measured.</p>
    </FormDialog>
  );
}
