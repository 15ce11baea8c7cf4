/** Students at the side, the one that is looked at beside them; for administrators the report of the district. */
import { useEffect, useState, type CSSProperties, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { TopBar } from "../shared/session.tsx";
import { Choices } from "../shared/ui.tsx";
import { api, type Id, type Me, type StudentView } from "./api/api.ts";
import { Documents } from "./documents.tsx";
import { Goals } from "./goals.tsx";
import { Enrol, People } from "./people.tsx";
import { Program } from "./program.tsx";
import { AccessLog } from "./record.tsx";
import { Report } from "./report.tsx";
import { About } from "./student.tsx";
import { day, ENROLLMENTS, hue, initials, ROLES } from "./words.ts";

export function Education(): ReactElement {
  const me = useQuery(api.organizations.me);
  if (me === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  if (me === null) return <p className="quiet centre">No organization knows you. Ask one of its administrators to invite you.</p>;
  return <Desk me={me} />;
}

function Desk({ me }: { me: Me }): ReactElement {
  const [at, setAt] = useState<"students" | "report">("students");
  const name = `${me.user.firstName} ${me.user.lastName}`;
  return (
    <>
      <TopBar title="Education" tenant={me.organization.name} user={name} role={ROLES[me.user.role]}>
        {me.capabilities.includes("reports.see") && <Choices label="What to look at" value={at} choices={{ students: "Students", report: "District" }} onChoose={setAt} />}
      </TopBar>
      <main className="page wide">{at === "report" ? <Report /> : <Students me={me} />}</main>
    </>
  );
}

function Students({ me }: { me: Me }): ReactElement {
  const students = useQuery(api.students.list);
  const [chosen, setChosen] = useState<Id<"students"> | null>(null);
  const [text, setText] = useState("");
  const [dialog, setDialog] = useState<"enrol" | "people" | null>(null);
  const close = (): void => setDialog(null);
  const seen = students?.filter(({ firstName, lastName }) => `${firstName} ${lastName}`.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <div className={chosen ? "desk chosen" : "desk"}>
      <nav className="card students" aria-label="Students">
        <input type="search" aria-label="Find a student" placeholder="Find a student" value={text} onChange={(event) => setText(event.target.value)} />
        <ul>
          {seen?.map(({ _id, firstName, lastName, gradeLevel, iepStatus }) => (
            <li key={_id}>
              <button className="plain student" aria-pressed={_id === chosen} onClick={() => setChosen(_id)}>
                <Avatar name={`${firstName} ${lastName}`} />
                <span><strong>{firstName} {lastName}</strong><small>Grade {gradeLevel}</small></span>
                {iepStatus !== "active" && <span className="badge warn">{iepStatus}</span>}
              </button>
            </li>
          ))}
        </ul>
        {students?.length === 0 && <p className="quiet">You work with no student yet, and nothing has been shared with you.</p>}
        {me.capabilities.includes("people.manage") && <button onClick={() => setDialog("enrol")}>Enrol a student</button>}
        {me.capabilities.includes("people.manage") && <button onClick={() => setDialog("people")}>People</button>}
      </nav>
      {dialog === "enrol" && <Enrol me={me} onEnrolled={setChosen} onClose={close} />}
      {dialog === "people" && <People me={me} onClose={close} />}
      {chosen ? <Student key={chosen} id={chosen} me={me} onBack={() => setChosen(null)} /> : <p className="card quiet choose">Choose a student.</p>}
    </div>
  );
}

const TABS = { program: "Program", goals: "Goals", documents: "Documents", about: "About", log: "Access log" } as const;

function Student({ id, me, onBack }: { id: Id<"students">; me: Me; onBack: () => void }): ReactElement {
  const view = useQuery(api.students.get, { studentId: id });
  const note = useMutation(api.students.open);
  const [tab, setTab] = useState<keyof typeof TABS>("program");
  // the log of whoever has looked at a record is kept by the hub; who may not look is told nothing below
  useEffect(() => void note({ studentId: id }).catch(() => undefined), [id, note]);
  if (view === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  if (view === null) {
    return (
      <section className="card gone" role="alert">
        <h2>This record is not open to you</h2>
        <p className="quiet">Whoever keeps it has changed who works with it. What you have typed before is kept there.</p>
        <button onClick={onBack}>Back to your students</button>
      </section>
    );
  }
  const staff = me.capabilities.includes("records.write");
  const { log, ...others } = TABS;
  return (
    <div className="student-page">
      <Head view={view} onBack={onBack} />
      <Choices label="Part of the record" value={tab} choices={view.mayWrite ? TABS : (others as typeof TABS)} onChoose={setTab} />
      {tab === "program" && <Program view={view} me={me} />}
      {tab === "goals" && <Goals studentId={id} staff={staff} me={me} />}
      {tab === "documents" && <Documents studentId={id} staff={staff} />}
      {tab === "about" && <About view={view} me={me} />}
      {tab === "log" && <AccessLog studentId={id} />}
    </div>
  );
}

function Head({ view: { student, caseManager }, onBack }: { view: StudentView; onBack: () => void }): ReactElement {
  const name = `${student.firstName} ${student.lastName}`;
  return (
    <header className="card head">
      <button className="plain back" aria-label="Back to the students" onClick={onBack}>‹</button>
      <Avatar name={name} large />
      <div className="grow">
        <h2>{name}</h2>
        <p className="quiet">Grade {student.gradeLevel} · {student.primaryDisability}{student.enrollmentStatus !== "active" && ` · ${ENROLLMENTS[student.enrollmentStatus]}`}</p>
      </div>
      <dl className="facts">
        <div><dt>Born</dt><dd>{student.dateOfBirth ? day(Date.parse(student.dateOfBirth)) : "cannot be read"}</dd></div>
        <div><dt>Number</dt><dd>{student.studentNumber}</dd></div>
        <div><dt>Case manager</dt><dd>{caseManager?.name ?? "nobody"}</dd></div>
      </dl>
    </header>
  );
}

export function Avatar({ name, large = false }: { name: string; large?: boolean }): ReactElement {
  return <span className={large ? "avatar large" : "avatar"} style={{ "--hue": hue(name) } as CSSProperties} aria-hidden="true">{initials(name)}</span>;
}
