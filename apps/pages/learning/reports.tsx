/** Counts that move by what each commit changes. */
import type { ReactElement, ReactNode } from "react";
import { useQuery } from "synovia-client/react";
import { api } from "./api/api.ts";

export const STATUSES = { enrolled: "Enrolled", completed: "Completed", dropped: "Dropped" } as const;
export type Status = keyof typeof STATUSES;

export function Reports(): ReactElement {
  return (
    <div className="reports">
      <ByCourse />
      <ByAge />
      <ByCategory />
    </div>
  );
}

function ByCourse(): ReactElement {
  const counts = useQuery(api.reports.enrolments);
  const courses = useQuery(api.courses.list);
  const number = (course: string, status: string): number => counts?.find(({ of }) => of[0] === course && of[1] === status)?.count ?? 0;
  const most = Math.max(1, ...(courses ?? []).map(({ _id }) => Object.keys(STATUSES).reduce((sum, status) => sum + number(_id, status), 0)));
  return (
    <Report title="Enrolments" wide>
      <p className="legend">{Object.entries(STATUSES).map(([status, text]) => <span key={status} className={status}>{text}</span>)}</p>
      <ul className="bars">
        {courses?.map(({ _id, title }) => (
          <li key={_id}>
            <span className="name">{title}</span>
            <span className="bar" aria-hidden="true">
              {Object.keys(STATUSES).map((status) => <i key={status} className={status} style={{ width: `${(100 * number(_id, status)) / most}%` }} />)}
            </span>
            <span className="numbers">{Object.entries(STATUSES).map(([status, text]) => <span key={status} title={text}>{number(_id, status)}</span>)}</span>
          </li>
        ))}
      </ul>
    </Report>
  );
}

function ByAge(): ReactElement {
  const counts = useQuery(api.reports.openTickets);
  return <Report title="Open tickets, by days"><Bars rows={counts?.map(({ of, count }) => [of[0] ?? "", count])} tone="waiting" /></Report>;
}

function ByCategory(): ReactElement {
  const counts = useQuery(api.reports.interests);
  const categories = useQuery(api.courses.categories);
  const rows = categories?.map(({ _id, name }): [string, number] => [name, counts?.find(({ of }) => of[0] === _id)?.count ?? 0]);
  return <Report title="Interests"><Bars rows={rows?.toSorted((one, other) => other[1] - one[1])} tone="enrolled" /></Report>;
}

function Bars({ rows, tone }: { rows: readonly (readonly [string, number])[] | undefined; tone: string }): ReactElement {
  const most = Math.max(1, ...(rows ?? []).map(([, count]) => count));
  return (
    <ul className="bars">
      {rows?.map(([name, count]) => (
        <li key={name}>
          <span className="name">{name}</span>
          <span className="bar" aria-hidden="true"><i className={tone} style={{ width: `${(100 * count) / most}%` }} /></span>
          <span className="numbers"><span>{count}</span></span>
        </li>
      ))}
    </ul>
  );
}

function Report({ title, wide = false, children }: { title: string; wide?: boolean; children: ReactNode }): ReactElement {
  return (
    <section className={wide ? "card wide" : "card"} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What each role may do. */
export function Matrix(): ReactElement {
  const matrix = useQuery(api.members.matrix) ?? {};
  const capabilities = [...new Set(Object.values(matrix).flat())].sort();
  return (
    <section className="card" aria-label="Who may do what">
      <h2>Who may do what</h2>
      <div className="scroll" tabIndex={0}>
        <table>
          <thead><tr><th scope="col">Capability</th>{Object.keys(matrix).map((role) => <th key={role} scope="col">{role}</th>)}</tr></thead>
          <tbody>
            {capabilities.map((capability) => (
              <tr key={capability}>
                <th scope="row">{capability}</th>
                {Object.entries(matrix).map(([role, held]) => <td key={role}>{held.includes(capability) ? "✓" : ""}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
