import type { ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { Select, TextField } from "../ui/controls.tsx";
import { nameOf, shownName, type People } from "./naming.ts";

/** Who is measured: somebody with an account, a name, or nobody in particular. */
export type Subject = Pick<Recording, "subjectId" | "subjectAlias">;

const OTHER = "other";
const NOBODY = "";

/** Choose who is measured; `optional` allows to leave it open. */
export function SubjectField({ label, people, subject, onSubject, optional = false }: {
  label: string; people: People; subject: Subject; onSubject: (subject: Subject) => void; optional?: boolean;
}): ReactElement {
  const contacts = [...people.byId.values()];
  const { subjectId, subjectAlias } = subject;
  const isKnown = subjectId === undefined || subjectId === people.me._id || people.byId.has(subjectId);
  const chosen = subjectId ?? (subjectAlias === undefined ? NOBODY : OTHER);
  const choose = (value: string): void => {
    const id = [people.me._id, ...contacts.map(({ userId }) => userId)].find((one) => one === value);
    onSubject(id ? { subjectId: id } : value === OTHER ? { subjectAlias: "" } : {});
  };
  return (
    <>
      <Select label={label} value={chosen} onChange={(event) => choose(event.target.value)}>
        {optional && <option value={NOBODY}>Not said</option>}
        {!isKnown && <option value={subjectId}>{nameOf(people, subjectId)}</option>}
        {contacts.map((contact) => <option key={contact.userId} value={contact.userId}>{shownName(contact)}</option>)}
        <option value={people.me._id}>Myself</option>
        <option value={OTHER}>Somebody without an account</option>
      </Select>
      {chosen === OTHER && <TextField label="Name" required maxLength={200} value={subjectAlias ?? ""} onChange={(event) => onSubject({ subjectAlias: event.target.value })} />}
    </>
  );
}
