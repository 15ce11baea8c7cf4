/** Who was measured, as the owner chooses it later: a person at once, a name when its field is left. */
import { useState, type FocusEvent, type KeyboardEvent, type ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { usePeople } from "./people.ts";
import { SubjectField, type Subject } from "./subject-field.tsx";

export function SubjectChoice({ recording, onSubject }: { recording: Recording; onSubject: (subject: Subject) => void }): ReactElement {
  const people = usePeople();
  const [draft, setDraft] = useState<Subject | null>(null);
  const change = (subject: Subject): void => {
    const isName = subject.subjectAlias !== undefined;
    setDraft(isName ? subject : null);
    if (!isName) onSubject(subject);
  };
  const left = ({ currentTarget, relatedTarget }: FocusEvent): void => {
    if (currentTarget.contains(relatedTarget)) return;
    const name = draft?.subjectAlias?.trim();
    if (name && name !== recording.subjectAlias) onSubject({ subjectAlias: name });
    setDraft(null);
  };
  const pressed = (event: KeyboardEvent<HTMLElement>): void => {
    const { key, target } = event;
    if (!draft || (key !== "Escape" && key !== "Enter")) return;
    event.preventDefault();
    if (key === "Escape") setDraft(null);
    queueMicrotask(() => (target as HTMLElement).blur());
  };
  return (
    <div className="form" onBlur={left} onKeyDown={pressed}>
      <SubjectField label="Who was measured?" people={people} subject={draft ?? recording} onSubject={change} optional />
    </div>
  );
}
