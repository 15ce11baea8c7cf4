/** What is known of a student beside the program: who they are, whom to call, whether they are here, and the end of the record. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type EmergencyContact, type Id, type Me, type Student, type StudentView } from "./api/api.ts";
import { day, ENROLLMENTS, itemsOf, linesOf, ROLES } from "./words.ts";

export function About({ view: { student, caseManager, mayWrite }, me }: { view: StudentView; me: Me }): ReactElement {
  const [editing, setEditing] = useState(false);
  const mayManage = me.capabilities.includes("people.manage");
  const { emergencyContacts: contacts, secondaryDisabilities: further } = student;
  return (
    <>
      <section className="card" aria-label="Who it is">
        <div className="tools"><h2>Who it is</h2><span className="grow" />{mayWrite && <button aria-label="Edit the student" onClick={() => setEditing(true)}>Edit</button>}</div>
        <dl className="facts column">
          <div><dt>Disability</dt><dd>{[student.primaryDisability, ...further].join(", ")}</dd></div>
          <div><dt>To consider medically</dt><dd>{student.medicalConsiderations || "nothing noted"}</dd></div>
          <div><dt>On the way to school</dt><dd>{student.transportationNeeds || "nothing noted"}</dd></div>
        </dl>
      </section>
      <section className="card" aria-label="Whom to call">
        <h2>Whom to call</h2>
        <ul className="people">
          {contacts.map(({ name, relationship, phone, email }, index) => (
            <li key={index}><span className="grow"><strong>{name}</strong><small>{relationship}</small></span><span className="reach"><a href={`tel:${phone}`}>{phone}</a>{email && <a href={`mailto:${email}`}>{email}</a>}</span></li>
          ))}
        </ul>
        {contacts.length === 0 && <p className="quiet">Nobody is noted.</p>}
      </section>
      {mayWrite && <Enrollment student={student} mayErase={mayManage} />}
      {editing && <Edit student={student} manager={caseManager?.id} mayNumber={mayManage} onClose={() => setEditing(false)} />}
    </>
  );
}

function Enrollment({ student: { _id, enrollmentStatus, eraseAfter, firstName, lastName }, mayErase }: { student: Student; mayErase: boolean }): ReactElement {
  const set = useMutation(api.students.setEnrollment);
  const [erasing, setErasing] = useState(false);
  const { act, busy, problem } = useAct();
  return (
    <section className="card" aria-label="Enrollment">
      <div className="tools">
        <h2>Enrollment</h2><span className="grow" />
        <select aria-label="Enrollment status" value={enrollmentStatus} disabled={busy} onChange={(event) => void act(() => set({ studentId: _id, status: event.target.value as Student["enrollmentStatus"] }))}>
          {Object.entries(ENROLLMENTS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      </div>
      <Problem error={problem} />
      <p className="quiet">{eraseAfter === undefined ? "The record is kept while the student is enrolled, and for five years more." : `Everything is kept until ${day(eraseAfter)}, and erased then.`}</p>
      {mayErase && eraseAfter !== undefined && <button className="danger edit" onClick={() => setErasing(true)}>Erase the record …</button>}
      {erasing && <Erase id={_id} name={`${firstName} ${lastName}`} after={eraseAfter!} onClose={() => setErasing(false)} />}
    </section>
  );
}

function Erase({ id, name, after, onClose }: { id: Id<"students">; name: string; after: number; onClose: () => void }): ReactElement {
  const erase = useMutation(api.records.erase);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [isDue] = useState(() => after <= Date.now());
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    void act(() => erase({ studentId: id, reason: reason.trim() })).then((done) => done && onClose());
  };
  return (
    <Dialog title={`Erase ${name}`} onClose={onClose}>
      {isDue ? (
        <form onSubmit={send}>
          <p>Programs, goals, all data of progress, documents with their versions, and the access log go with the student. Nothing of it comes back. That it was erased, when, by whom and why, stays.</p>
          <Field label="Why"><input required maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} /></Field>
          <Field label={`Type “${name}”`}><input required autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} /></Field>
          <Problem error={problem} />
          <footer><button type="button" onClick={onClose}>Keep it</button><button className="danger" disabled={busy || typed.trim() !== name || !reason.trim()}>Erase it for good</button></footer>
        </form>
      ) : <p>This record has to be kept until {day(after)}. Nobody can erase it before; then it is erased by itself.</p>}
    </Dialog>
  );
}

const NOBODY: EmergencyContact = { name: "", relationship: "", phone: "" };

function Edit({ student, manager, mayNumber, onClose }: { student: Student; manager: Id<"users"> | undefined; mayNumber: boolean; onClose: () => void }): ReactElement {
  const update = useMutation(api.students.update);
  const colleagues = useQuery(api.organizations.colleagues, {});
  const { firstName, lastName, dateOfBirth, studentNumber, gradeLevel, primaryDisability } = student;
  const [words, setWords] = useState({ firstName, lastName, dateOfBirth: dateOfBirth ?? "", studentNumber, gradeLevel, primaryDisability });
  const [further, setFurther] = useState(linesOf(student.secondaryDisabilities));
  const [medical, setMedical] = useState(student.medicalConsiderations ?? "");
  const [transport, setTransport] = useState(student.transportationNeeds ?? "");
  const [contacts, setContacts] = useState<readonly EmergencyContact[]>(student.emergencyContacts);
  const [chosen, setChosen] = useState(manager);
  const { act, busy, problem } = useAct();
  const word = (name: keyof typeof words) => ({
    required: true, maxLength: 200, value: words[name], onChange: (event: { target: { value: string } }) => setWords({ ...words, [name]: event.target.value }),
  });
  const contact = (index: number, name: keyof EmergencyContact) => ({
    maxLength: 200, required: name !== "email", value: contacts[index]![name] ?? "",
    onChange: (event: { target: { value: string } }) => setContacts(contacts.map((each, at) => (at === index ? { ...each, [name]: event.target.value } : each))),
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const emergencyContacts = contacts.map(({ email, ...each }) => ({ ...each, ...(email?.trim() && { email: email.trim() }) }));
    const more = { ...(medical.trim() && { medicalConsiderations: medical.trim() }), ...(transport.trim() && { transportationNeeds: transport.trim() }) };
    const data = { ...words, secondaryDisabilities: itemsOf(further), emergencyContacts, ...more };
    void act(() => update({ studentId: student._id, student: data, ...(chosen && chosen !== manager && { caseManagerId: chosen }) })).then((done) => done && onClose());
  };
  return (
    <Dialog title="About the student" onClose={onClose}>
      <form onSubmit={send}>
        <div className="pair"><Field label="First name"><input {...word("firstName")} /></Field><Field label="Last name"><input {...word("lastName")} /></Field></div>
        <div className="pair"><Field label="Born"><input type="date" {...word("dateOfBirth")} /></Field><Field label="Student number"><input readOnly={!mayNumber} {...word("studentNumber")} /></Field></div>
        <div className="pair"><Field label="Grade"><input {...word("gradeLevel")} /></Field><Field label="Primary disability"><input {...word("primaryDisability")} /></Field></div>
        <Field label="Other disabilities, one a line"><textarea maxLength={6000} rows={2} value={further} onChange={(event) => setFurther(event.target.value)} /></Field>
        <Field label="To consider medically"><textarea maxLength={5000} rows={2} value={medical} onChange={(event) => setMedical(event.target.value)} /></Field>
        <Field label="On the way to school"><textarea maxLength={5000} rows={2} value={transport} onChange={(event) => setTransport(event.target.value)} /></Field>
        <Field label="Case manager" hint="Who gives a case away loses the record, unless they are in the team">
          <select value={chosen} onChange={(event) => setChosen(event.target.value as Id<"users">)}>
            {colleagues?.map(({ id, name, role }) => <option key={id} value={id}>{name}, {ROLES[role]}</option>)}
          </select>
        </Field>
        <fieldset>
          <legend>Whom to call</legend>
          {contacts.map((_, index) => (
            <div key={index} className="item boxed" role="group" aria-label={`Contact ${index + 1}`}>
              <Field label="Name"><input {...contact(index, "name")} /></Field>
              <Field label="Who that is"><input placeholder="parent" {...contact(index, "relationship")} /></Field>
              <button type="button" className="plain" aria-label={`Remove contact ${index + 1}`} onClick={() => setContacts(contacts.filter((__, at) => at !== index))}>✕</button>
              <Field label="Phone"><input type="tel" {...contact(index, "phone")} /></Field>
              <Field label="E-mail address"><input type="email" {...contact(index, "email")} /></Field>
            </div>
          ))}
          <button type="button" disabled={contacts.length >= 10} onClick={() => setContacts([...contacts, NOBODY])}>Another contact</button>
        </fieldset>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Save</button></footer>
      </form>
    </Dialog>
  );
}
