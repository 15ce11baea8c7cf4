/** One screen: reports that stay live, and a long list behind them; for others than their readers, the courses. */
import type { ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { TopBar } from "../shared/session.tsx";
import { Problem, useAct } from "../shared/ui.tsx";
import { api, type Me } from "./api/api.ts";
import { Enrolments } from "./enrolments.tsx";
import { Matrix, Reports } from "./reports.tsx";

export function Learning(): ReactElement {
  const me = useQuery(api.members.me);
  if (me === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  if (me === null) return <p className="quiet centre">This tenant does not know you. Ask one of its admins to invite you.</p>;
  return <Desk me={me} />;
}

function Desk({ me }: { me: Me }): ReactElement {
  const may = (capability: string): boolean => me.capabilities.includes(capability);
  return (
    <>
      <TopBar title="Learning" tenant={me.tenant.name} user={me.profile.name} role={may("members.manage") ? "admin" : ""} />
      <main className="page">
        {may("reports.see") ? <><Reports /><Enrolments /></> : <Courses />}
        {may("members.manage") && <Matrix />}
      </main>
    </>
  );
}

/** What there is to learn. */
function Courses(): ReactElement {
  const courses = useQuery(api.courses.list);
  const enrol = useMutation(api.courses.enrol);
  const { act, busy, problem } = useAct();
  return (
    <section className="card" aria-label="Courses">
      <h2>Courses</h2>
      <Problem error={problem} />
      <ul className="rows">
        {courses?.map((course) => (
          <li key={course._id}>
            <span className="grow"><strong>{course.title}</strong> <small>{course.places} places</small></span>
            <button disabled={busy} onClick={() => void act(() => enrol({ courseId: course._id }))}>Enrol</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
