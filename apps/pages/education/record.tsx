/** Who has looked at a student's record, and everything that is held about them. */
import type { ReactElement } from "react";
import { useAction, usePaginatedQuery } from "synovia-client/react";
import { Problem, useAct } from "../shared/ui.tsx";
import { api, type Id } from "./api/api.ts";
import { Avatar } from "./education.tsx";
import { ACTIONS, moment } from "./words.ts";

export function AccessLog({ studentId }: { studentId: Id<"students"> }): ReactElement {
  const log = usePaginatedQuery(api.records.accessLog, { studentId }, { pageSize: 30 });
  const take = useAction(api.records.export);
  const { act, busy, problem } = useAct();
  const save = (): void => void act(async () => {
    const record = await take({ studentId });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(record, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value), 2)], { type: "application/json" }));
    link.download = "record.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  return (
    <section className="card" aria-label="Access log">
      <div className="tools"><h2>Who has looked at this record</h2><span className="grow" /><button disabled={busy} onClick={save}>Export everything</button></div>
      <Problem error={problem} />
      <ul className="rows">
        {log.results.map(({ entry, name }) => (
          <li key={entry._id}>
            <Avatar name={name} />
            <span className="grow"><strong>{name}</strong> {ACTIONS[entry.action]} {entry.subject && <em>{entry.subject}</em>}</span>
            {entry.isConfidential && <span className="badge warn">Confidential</span>}
            <small>{moment(entry.at)}</small>
          </li>
        ))}
      </ul>
      {log.status === "CanLoadMore" && <button onClick={() => log.loadMore()}>More</button>}
    </section>
  );
}
