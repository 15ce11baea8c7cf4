/** One screen: what an organization plans in some weeks, what was deleted, and what was changed. */
import { useEffect, useState, type ReactElement } from "react";
import { useMutation, usePaginatedQuery, useQuery } from "synovia-client/react";
import { TopBar } from "../shared/session.tsx";
import { Choices, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Id, type Schedule, type User } from "./api/api.ts";
import { DAY, monday, span, today, written } from "./days.ts";
import { ScheduleDialog } from "./schedule-dialog.tsx";
import { Timeline } from "./timeline.tsx";

export const STATUSES = { draft: "Draft", active: "Active", completed: "Completed", cancelled: "Cancelled" } as const;
export type Status = keyof typeof STATUSES;
const WEEKS = { "2": "2 weeks", "4": "4 weeks", "8": "8 weeks" };

export function Planner(): ReactElement {
  const me = useQuery(api.queries.organizations.me);
  const arrive = useMutation(api.mutations.organizations.arrive);
  useEffect(() => void (me && !me.authId && arrive()), [me, arrive]);
  if (me === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  return me === null ? <Founding /> : <Desk me={me} />;
}

/** The first one of an organization sets it up. */
function Founding(): ReactElement {
  const create = useMutation(api.mutations.organizations.create);
  const { act, busy, problem } = useAct();
  const [name, setName] = useState("");
  const slug = name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return (
    <main className="door">
      <form className="card" onSubmit={(event) => (event.preventDefault(), void act(() => create({ name, slug })))}>
        <h1>Set up your organization</h1>
        <p className="quiet">Nobody has used the planner for it yet. If somebody has, ask them to invite you.</p>
        <Field label="Name" hint={slug && `Its short name will be ${slug}.`}>
          <input required maxLength={60} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Problem error={problem} />
        <button className="primary" disabled={busy || !slug}>Set up</button>
      </form>
    </main>
  );
}

type View = "calendar" | "deleted" | "changes";

function Desk({ me }: { me: User }): ReactElement {
  const organizationId = me.organizationId;
  const organization = useQuery(api.queries.organizations.get, { organizationId });
  const [view, setView] = useState<View>("calendar");
  const views: Partial<Record<View, string>> = {
    calendar: "Calendar",
    ...(me.role !== "viewer" && { deleted: "Deleted" }),
    ...(me.role === "admin" && { changes: "Changes" }),
  };
  return (
    <>
      <TopBar title="Planner" tenant={organization?.name ?? ""} user={me.name} role={me.role}>
        <Choices label="View" value={view} choices={views as Record<View, string>} onChoose={setView} />
      </TopBar>
      <main className="page">
        {view === "calendar" ? <Calendar me={me} /> : view === "deleted" ? <Deleted organizationId={organizationId} /> : <Changes organizationId={organizationId} />}
      </main>
    </>
  );
}

function Calendar({ me }: { me: User }): ReactElement {
  const [weeks, setWeeks] = useState<keyof typeof WEEKS>("4");
  const [start, setStart] = useState(() => monday(today() - 7 * DAY));
  const [status, setStatus] = useState<Status | "all">("all");
  const [edited, setEdited] = useState<Schedule | "new" | null>(null);
  const [text, setText] = useState("");
  const hits = useQuery(api.queries.schedules.search, text.trim() ? { organizationId: me.organizationId, text } : "skip");
  const range = Number(weeks) * 7 * DAY;
  const found = useQuery(api.queries.schedules.calendar, { organizationId: me.organizationId, start, end: start + range });
  const people = useQuery(api.queries.organizations.users, { organizationId: me.organizationId });
  const shown = found?.filter((schedule) => status === "all" || schedule.status === status).toSorted((one, other) => one.startDate - other.startDate);
  const names = new Map(people?.map((user) => [user._id, user.name]));
  const mayPlan = me.role !== "viewer";
  return (
    <>
      <div className="tools">
        <button aria-label="Earlier" onClick={() => setStart(start - range / 2)}>‹</button>
        <button onClick={() => setStart(monday(today() - 7 * DAY))}>Today</button>
        <button aria-label="Later" onClick={() => setStart(start + range / 2)}>›</button>
        <h2>{written(start, "day")} – {written(start + range - DAY, "long")}</h2>
        <span className="grow" />
        <input type="search" aria-label="Search" placeholder="Search" maxLength={200} value={text} onChange={(event) => setText(event.target.value)} />
        <select aria-label="Status" value={status} onChange={(event) => setStatus(event.target.value as Status | "all")}>
          <option value="all">Any status</option>
          {Object.entries(STATUSES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
        <Choices label="Range" value={weeks} choices={WEEKS} onChoose={setWeeks} />
        {mayPlan && <button className="primary" onClick={() => setEdited("new")}>New schedule</button>}
      </div>
      {text.trim() ? <Hits schedules={hits} names={names} onOpen={setEdited} />
        : <Timeline start={start} days={range / DAY} schedules={shown} names={names} onOpen={setEdited} />}
      {edited !== null && (
        <ScheduleDialog schedule={edited === "new" ? null : edited} mayPlan={mayPlan} owner={edited === "new" ? "" : names.get(edited.userId) ?? ""} onClose={() => setEdited(null)} />
      )}
    </>
  );
}

/** What was found by its words, those that fit best first. */
function Hits({ schedules, names, onOpen }: { schedules: readonly Schedule[] | undefined; names: ReadonlyMap<string, string>; onOpen: (schedule: Schedule) => void }): ReactElement {
  return (
    <section className="card" aria-label="Found">
      <ul className="rows">
        {schedules?.map((schedule) => (
          <li key={schedule._id}>
            <span className="grow"><strong>{schedule.title}</strong> <small>{span(schedule.startDate, schedule.endDate)} · {names.get(schedule.userId)}</small></span>
            <span className="badge">{STATUSES[schedule.status]}</span>
            <button onClick={() => onOpen(schedule)}>Open</button>
          </li>
        ))}
      </ul>
      {schedules?.length === 0 && <p className="quiet">No schedule has these words.</p>}
    </section>
  );
}

function Deleted({ organizationId }: { organizationId: Id<"organizations"> }): ReactElement {
  const deleted = useQuery(api.queries.schedules.deleted, { organizationId });
  const restore = useMutation(api.mutations.schedules.restore);
  const { act, busy, problem } = useAct();
  return (
    <section className="card" aria-label="Deleted schedules">
      <Problem error={problem} />
      <ul className="rows">
        {deleted?.map((schedule) => (
          <li key={schedule._id}>
            <span className="grow"><strong>{schedule.title}</strong> <small>{span(schedule.startDate, schedule.endDate)}</small></span>
            <small>deleted {written(schedule.deletedAt ?? 0, "moment")}</small>
            <button disabled={busy} onClick={() => void act(() => restore({ scheduleId: schedule._id }))}>Restore</button>
          </li>
        ))}
      </ul>
      {deleted?.length === 0 && <p className="quiet">Nothing has been deleted in the last 30 days.</p>}
    </section>
  );
}

const WORDS: Readonly<Record<string, string>> = { insert: "made", update: "changed", delete: "deleted", restore: "restored" };

function Changes({ organizationId }: { organizationId: Id<"organizations"> }): ReactElement {
  const { results, status, loadMore } = usePaginatedQuery(api.queries.organizations.auditLogs, { organizationId }, { pageSize: 30 });
  const people = useQuery(api.queries.organizations.users, { organizationId });
  const names = new Map(people?.map((user) => [user.authId, user.name]));
  return (
    <section className="card" aria-label="Changes">
      <ol className="rows">
        {results.map((entry) => {
          const [table = "", verb = ""] = entry.action.split(".");
          return (
            <li key={entry._id}>
              <span className="badge accent">{WORDS[verb] ?? verb}</span>
              <span className="grow"><strong>{table.replace(/s$/, "")}</strong> {differences(entry.data)}</span>
              <small>{names.get(entry.actor) ?? "the planner itself"}, {written(entry.at, "moment")}</small>
            </li>
          );
        })}
      </ol>
      {status === "CanLoadMore" && <button onClick={() => loadMore()}>Older changes</button>}
    </section>
  );
}

/** Say which fields were changed, from what to what. */
function differences(changes: unknown): string {
  const { before = {}, after = {} } = (changes ?? {}) as { before?: Record<string, unknown>; after?: Record<string, unknown> };
  const told = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !/Id$|At$/.test(name));
  const value = (name: string, of: Record<string, unknown>): string => {
    const found = of[name];
    return found === undefined || found === null ? "" : typeof found === "number" ? written(found, "day") : String(found);
  };
  return told.map((name) => [value(name, before), value(name, after)].filter(Boolean).join(" → ")).filter(Boolean).join(" · ");
}
