import { useState, type ReactElement } from "react";
import { useMutation, useSynovia } from "synovia-client/react";
import { api, type ContactView } from "../api/api.ts";
import { go } from "../browser/route.ts";
import { shownName, type People } from "../recordings/naming.ts";
import { SubjectField, type Subject } from "../recordings/subject-field.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { SAMPLE_RATE, sensors } from "./sensor.ts";

/** Who is measured, who may watch, and with what. */
export function StartDialog({ people, onClose }: { people: People; onClose: () => void }): ReactElement {
  const client = useSynovia();
  const start = useMutation(api.live.start);
  const contacts = [...people.byId.values()];
  const [subject, setSubject] = useState<Subject>(() => firstSubject(people));
  const [watchers, setWatchers] = useState<readonly ContactView["userId"][]>([]);
  const send = async (): Promise<void> => {
    const sessionId = await start({ sampleRate: SAMPLE_RATE, ...subject, sharedWith: watchers });
    sensors.start(client, sessionId);
    go("live", sessionId);
  };
  const toggle = (id: ContactView["userId"]): void => setWatchers(watchers.includes(id) ? watchers.filter((one) => one !== id) : [...watchers, id]);
  return (
    <FormDialog title="Start a live session" submit="Start measuring" onSubmit={send} onClose={onClose}>
      <SubjectField label="Who is measured?" people={people} subject={subject} onSubject={setSubject} />
      {contacts.length > 0 && (
        <div className="field">
          <span className="label" id="watchers">Who else may watch?</span>
          <div className="chips wrap" role="group" aria-labelledby="watchers">
            {contacts.filter(({ userId }) => userId !== subject.subjectId).map((contact) => (
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

/** Patients measure themselves, physiotherapists somebody else. */
function firstSubject({ me, byId }: People): Subject {
  const [contact] = byId.keys();
  return me.role === "patient" || contact === undefined ? { subjectId: me._id } : { subjectId: contact as ContactView["userId"] };
}
