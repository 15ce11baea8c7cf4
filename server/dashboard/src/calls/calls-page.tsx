/** Calls to come, those that are over, and crons. */
import { useEffect, useState } from "react";
import { useSynovia } from "synovia-client/react";
import { useLive } from "../browser/live.ts";
import { goInstead, useRoute } from "../browser/route.ts";
import { PATHS, type CronInfo, type ScheduledInfo } from "../api/hub.ts";
import { useMayChange } from "../session/use-session.ts";
import { Facts } from "../ui/facts.tsx";
import { ago, duration, moment, plural } from "../ui/format.ts";
import { NotFound } from "../ui/not-found.tsx";
import { Panel } from "../ui/panel.tsx";
import { Rows, type Column } from "../ui/rows.tsx";
import { act } from "../ui/toasts.tsx";

const STATES = ["pending", "running", "failed", "done", "cancelled"] as const;
const NAMES: Record<string, string> = { pending: "To come", running: "Running", failed: "Failed", done: "Done", cancelled: "Cancelled", crons: "Crons" };
const EMPTY: Record<string, string> = {
  pending: "What functions schedule appears here until it runs.",
  running: "No action, no job and no workflow runs at the moment.",
  failed: "Nothing has failed that is still kept.",
  done: "Calls that are over are kept for a while.",
  cancelled: "Nobody has cancelled a call.",
};

export default function CallsPage() {
  const { parts, query } = useRoute();
  const asked = parts[1] ?? "pending";
  const state = STATES.find((each) => each === asked);
  return (
    <div className="page">
      <div className="bar">
        <h1>Calls to come</h1>
        <div className="tabs" role="group" aria-label="Which calls">
          {[...STATES, "crons"].map((each) => (
            <button key={each} aria-pressed={each === asked} onClick={() => goInstead(["calls", each])}>
              {NAMES[each]}
            </button>
          ))}
        </div>
      </div>
      {state ? <Calls key={state} state={state} opened={query.get("call")} /> : asked === "crons" ? <Crons /> : <NotFound title="No such list">No calls are {asked}: choose one of the lists above.</NotFound>}
    </div>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Calls({ state, opened }: { state: string; opened: string | null }) {
  const now = useNow();
  const { value: found, error } = useLive<readonly ScheduledInfo[]>(PATHS.scheduled, { status: state, limit: 500 });
  const columns: Column<ScheduledInfo>[] = [
    { name: "path", title: "Function", width: "minmax(180px, 1fr)", cell: (call) => <><code>{call.path}</code> <Progress call={call} /></> },
    { name: "arguments", title: "Arguments", width: "minmax(160px, 1.4fr)", drop: 2, cell: ({ arguments: args }) => <span className="mono quiet-ink">{args.replace(/\s+/g, " ")}</span> },
    {
      name: "time",
      title: state === "pending" ? "Due" : state === "running" ? "Since" : "Ended",
      width: "118px",
      cell: ({ runAt, startedAt, finishedAt }) => {
        const at = state === "pending" ? runAt : state === "running" ? (startedAt ?? runAt) : (finishedAt ?? runAt);
        return <span title={moment(at)}>{ago(at, now)}</span>;
      },
    },
    { name: "attempts", title: "Tries", width: "70px", kind: "number", drop: 3, cell: tries },
    { name: "error", title: "Error", width: "minmax(90px, 1fr)", drop: 1, cell: ({ code, message }) => (code ? <span className="slow" title={message}>{`${code}: ${message}`}</span> : <span className="quiet-ink">–</span>) },
  ];
  const open = (id: string | undefined): void => goInstead(["calls", state], { call: id });
  const chosen = found?.find(({ id }) => id === opened);
  return (
    <>
      {error && <p className="alert">{error.message}</p>}
      <div className={opened && found ? "split open" : "split"}>
        <Rows
          label={NAMES[state]!}
          columns={columns}
          rows={found ?? []}
          keyOf={({ id }) => id}
          selected={opened}
          open={({ id }) => open(id)}
          empty={
            found && (
              <div className="empty">
                <h2>{state === "pending" ? "Nothing is planned" : "None"}</h2>
                <p>{EMPTY[state]}</p>
              </div>
            )
          }
        />
        {chosen && <CallPanel call={chosen} now={now} close={() => open(undefined)} />}
        {opened && found && !chosen && (
          <Panel title={<code>{opened}</code>} label="Call" close={() => open(undefined)}>
            <p className="hint">This call is not among these, or not any more: it may have gone on to another list.</p>
          </Panel>
        )}
      </div>
    </>
  );
}

/** How far a job or a workflow is: of a workflow that it will begin more steps nobody knows, so no share of them is told. */
function Progress({ call: { done, estimate = 0, unit } }: { call: ScheduledInfo }) {
  if (done === undefined) return null;
  if (unit === "steps") return <span className="tag">{`${done} of ${plural(estimate, "step")}`}</span>;
  return <span className="tag">{done >= estimate ? "100" : Math.floor((100 * done) / estimate)} %</span>;
}

function CallPanel({ call, now, close }: { call: ScheduledInfo; now: number; close: () => void }) {
  const client = useSynovia();
  const mayChange = useMayChange();
  const isOver = ["failed", "done", "cancelled"].includes(call.status);
  const goesOn = call.isJob && call.status !== "done";
  return (
    <Panel
      label={`Call of ${call.path}`}
      title={<code>{call.path}</code>}
      close={close}
      actions={
        mayChange && (
          <>
            {(call.status === "pending" || (call.status === "running" && call.isJob)) && <button onClick={() => void act(() => client.mutation(PATHS.cancel, { id: call.id }), "Cancelled")}>Cancel it</button>}
            {isOver && <button onClick={() => void act(() => client.mutation(PATHS.retry, { id: call.id }), goesOn ? "Goes on" : "Scheduled once more, for now")}>{goesOn ? "Go on" : "Run again"}</button>}
          </>
        )
      }
    >
      <Facts
        facts={[
          ["Status", call.status],
          ["Planned for", moment(call.runAt)],
          ["Scheduled", ago(call.createdAt, now)],
          ["Tries", String(tries(call))],
          ...(call.done === undefined ? [] : ([["Done", `${call.done.toLocaleString("en")} of ${(call.estimate ?? 0).toLocaleString("en")} ${call.unit === "steps" ? "steps that it has begun" : "documents"}`]] as const)),
          ["Took", call.startedAt && call.finishedAt ? duration(call.finishedAt - call.startedAt) : "–"],
          ["By", call.cron ? `the cron ${call.cron}` : "a function"],
          ["Pool", call.pool ?? "–"],
          ["Hub", call.hub],
        ]}
      />
      {call.code && (
        <p className="alert">
          {call.code}: {call.message} {call.reference && <code>{call.reference}</code>}
        </p>
      )}
      <section>
        <h3>Arguments</h3>
        <pre className="block" tabIndex={0}>
          {call.arguments}
        </pre>
      </section>
    </Panel>
  );
}

function Crons() {
  const now = useNow();
  const { value: found, error } = useLive<readonly CronInfo[]>(PATHS.crons);
  const columns: Column<CronInfo>[] = [
    { name: "path", title: "Function", width: "minmax(150px, 1fr)", cell: ({ path }) => <code>{path}</code> },
    { name: "schedule", title: "Schedule", width: "minmax(180px, 1fr)", drop: 2, cell: ({ schedule }) => <code>{schedule}</code> },
    { name: "next", title: "Next", width: "116px", cell: ({ nextRun }) => <span title={moment(nextRun)}>{ago(nextRun, now)}</span> },
    { name: "last", title: "Last", width: "116px", cell: ({ lastRun }) => (lastRun ? <span title={moment(lastRun)}>{ago(lastRun, now)}</span> : <span className="quiet-ink">never</span>) },
    { name: "status", title: "Last outcome", width: "minmax(120px, 0.6fr)", drop: 1, cell: ({ lastStatus, message }) => (lastStatus ? <span className={lastStatus === "failed" ? "tag bad" : "tag"} title={message}>{lastStatus}</span> : <span className="quiet-ink">–</span>) },
  ];
  return (
    <>
      {error && <p className="alert">{error.message}</p>}
      <div className="split">
        <Rows
          label={found ? plural(found.length, "cron") : "Crons"}
          columns={columns}
          rows={found ?? []}
          keyOf={({ path }) => path}
          empty={found && <p className="empty">The application declares no crons.</p>}
        />
      </div>
    </>
  );
}

/** How often it was begun; the hub does not count it of a mutation, whose run is one with its end. */
function tries({ status, attempts }: Pick<ScheduledInfo, "status" | "attempts">): number {
  return status === "done" || status === "failed" ? Math.max(attempts, 1) : attempts;
}
