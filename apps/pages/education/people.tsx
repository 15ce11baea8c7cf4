/** Students who come, and people who are let in. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Id, type Me, type User } from "./api/api.ts";
import { Avatar } from "./education.tsx";
import { ROLES } from "./words.ts";

export function Enrol({ me, onEnrolled, onClose }: { me: Me; onEnrolled: (id: Id<"students">) => void; onClose: () => void }): ReactElement {
  const enrol = useMutation(api.students.enrol);
  const colleagues = useQuery(api.organizations.colleagues, {});
  const grades = me.organization.settings.gradeSystem;
  const [student, setStudent] = useState({ firstName: "", lastName: "", dateOfBirth: "", studentNumber: "", gradeLevel: grades[0] ?? "", primaryDisability: "" });
  const [manager, setManager] = useState(me.user._id);
  const { act, busy, problem } = useAct();
  const text = (name: keyof typeof student) => ({
    required: true, maxLength: 200, value: student[name], onChange: (event: { target: { value: string } }) => setStudent({ ...student, [name]: event.target.value }),
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    void act(async () => {
      const id = await enrol({ student, caseManagerId: manager });
      onEnrolled(id);
      onClose();
    });
  };
  return (
    <Dialog title="Enrol a student" onClose={onClose}>
      <form onSubmit={send}>
        <div className="pair">
          <Field label="First name"><input {...text("firstName")} /></Field>
          <Field label="Last name"><input {...text("lastName")} /></Field>
        </div>
        <div className="pair">
          <Field label="Born"><input type="date" {...text("dateOfBirth")} /></Field>
          <Field label="Student number"><input {...text("studentNumber")} /></Field>
        </div>
        <Field label="Grade"><select {...text("gradeLevel")}>{grades.map((grade) => <option key={grade}>{grade}</option>)}</select></Field>
        <Field label="Primary disability"><input {...text("primaryDisability")} /></Field>
        <Field label="Case manager">
          <select value={manager} onChange={(event) => setManager(event.target.value as Id<"users">)}>
            {colleagues?.map(({ id, name, role }) => <option key={id} value={id}>{name}, {ROLES[role]}</option>)}
          </select>
        </Field>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Enrol</button></footer>
      </form>
    </Dialog>
  );
}

/** Who is let in, or was; letting in somebody else. */
export function People({ me, onClose }: { me: Me; onClose: () => void }): ReactElement {
  const members = useQuery(api.organizations.members, {});
  const [inviting, setInviting] = useState(false);
  if (inviting) return <Invite onClose={() => setInviting(false)} />;
  return (
    <Dialog title="People" onClose={onClose}>
      <ul className="people all">{members?.map((user) => <Member key={user._id} user={user} isMe={user._id === me.user._id} />)}</ul>
      <footer><button className="primary" onClick={() => setInviting(true)}>Invite somebody</button></footer>
    </Dialog>
  );
}

function Member({ user: { _id, firstName, lastName, email, role, isActive }, isMe }: { user: User; isMe: boolean }): ReactElement {
  const set = useMutation(api.organizations.setActive);
  const { act, busy, problem } = useAct();
  const name = `${firstName} ${lastName}`;
  return (
    <li>
      <Avatar name={name} />
      <span className="grow"><strong>{name}</strong><small>{ROLES[role]} · {email}</small><Problem error={problem} /></span>
      {!isActive && <span className="badge warn">Not let in</span>}
      {!isMe && <button className="plain" aria-label={`${isActive ? "Shut out" : "Let in again"}: ${name}`} disabled={busy} onClick={() => void act(() => set({ userId: _id, active: !isActive }))}>{isActive ? "Shut out" : "Let in again"}</button>}
    </li>
  );
}

function Invite({ onClose }: { onClose: () => void }): ReactElement {
  const invite = useMutation(api.organizations.invite);
  const nobody = { firstName: "", lastName: "", email: "" };
  const [person, setPerson] = useState(nobody);
  const [role, setRole] = useState<keyof typeof ROLES>("teacher");
  const [invited, setInvited] = useState<string | null>(null);
  const { act, busy, problem } = useAct();
  const text = (name: keyof typeof person) => ({
    required: true, maxLength: 200, value: person[name], onChange: (event: { target: { value: string } }) => setPerson({ ...person, [name]: event.target.value }),
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    setInvited(null);
    void act(async () => {
      await invite({ ...person, role });
      setInvited(`${person.firstName} ${person.lastName} may sign in as ${person.email} from now on.`);
      setPerson(nobody);
    });
  };
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <form onSubmit={send}>
        <div className="pair">
          <Field label="First name"><input {...text("firstName")} /></Field>
          <Field label="Last name"><input {...text("lastName")} /></Field>
        </div>
        <Field label="E-mail address" hint="The one that they sign in with"><input type="email" {...text("email")} /></Field>
        <Field label="Role" hint="Parents and students see what is shared with them, colleagues the students of their teams">
          <select value={role} onChange={(event) => setRole(event.target.value as keyof typeof ROLES)}>
            {Object.entries(ROLES).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
          </select>
        </Field>
        <p className="quiet" role="status">{invited}</p>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Invite</button></footer>
      </form>
    </Dialog>
  );
}
