/** The district: counts and means over all that has been observed, moved by each entry. */
import { useState, type ReactElement } from "react";
import { useQuery } from "synovia-client/react";
import { Choices } from "../shared/ui.tsx";
import { api, type Count } from "./api/api.ts";
import { DAY, DOMAINS, LEVELS, round, SPANS, SUPPORT } from "./words.ts";

export function Report(): ReactElement {
  const [span, setSpan] = useState<keyof typeof SPANS>("0");
  const [now] = useState(() => Math.floor(Date.now() / DAY) * DAY);
  const report = useQuery(api.reports.district, { start: span === "0" ? 0 : now - Number(span) * DAY });
  if (!report) return <p className="quiet centre" role="status">Loading …</p>;
  const students = report.students.reduce((sum, { count }) => sum + count, 0);
  const goals = report.goals.reduce((sum, { count }) => sum + count, 0);
  const reached = report.goals.filter(({ of }) => of[1] === "reached").reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <div className="tools"><h2>The district, as of now</h2><span className="grow" /><Choices label="Span" value={span} choices={SPANS} onChoose={setSpan} /></div>
      <dl className="figures">
        <div className="card"><dt>Students</dt><dd>{round(students)}</dd></div>
        <div className="card"><dt>Goals</dt><dd>{round(goals)} <small>{reached} reached</small></dd></div>
        <div className="card"><dt>Points of progress</dt><dd>{round(report.points)}</dd></div>
        <div className="card"><dt>Minutes a session</dt><dd>{report.minutes === undefined ? "–" : round(report.minutes)}</dd></div>
      </dl>
      <div className="reports">
        <Bars title="Mastery" counts={report.mastery} names={LEVELS} />
        <Bars title="Independence" counts={report.independence} names={SUPPORT} />
        <Bars title="Goals by domain" counts={merged(report.goals)} names={DOMAINS} />
        <Bars title="Minutes by setting" counts={Object.entries(report.minutesBySetting).map(([of, minutes]) => ({ of: [of], count: minutes ?? 0 }))} />
        <Bars title="Students by enrollment and program" counts={report.students} />
      </div>
    </>
  );
}

/** Counts by the first word alone. */
function merged(counts: readonly Count[]): Count[] {
  const sums = new Map<string, number>();
  for (const { of, count } of counts) sums.set(of[0]!, (sums.get(of[0]!) ?? 0) + count);
  return [...sums].map(([of, count]) => ({ of: [of], count }));
}

function Bars({ title, counts, names = {} }: { title: string; counts: readonly Count[]; names?: Readonly<Record<string, string>> }): ReactElement {
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const order = Object.keys(names);
  return (
    <section className="card" aria-label={title}>
      <h3>{title}</h3>
      <ul className="bars">
        {counts.toSorted((one, other) => order.indexOf(one.of[0]!) - order.indexOf(other.of[0]!)).map(({ of, count }) => (
          <li key={of.join()}>
            <span>{of.map((each) => names[each] ?? each.replaceAll("_", " ")).join(", ")}</span>
            <i style={{ width: `${(100 * count) / most}%` }} aria-hidden="true" />
            <strong>{round(count)}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}
