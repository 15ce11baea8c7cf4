/** Calls as they happen. */
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { HubName } from "../hub/hub-name.tsx";
import { useLive } from "../browser/live.ts";
import { goInstead, useRoute } from "../browser/route.ts";
import { PATHS, type Call } from "../api/hub.ts";
import { Choice } from "../ui/choice.tsx";
import { bytes, clock, compact, count, duration } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Rows, type Column } from "../ui/rows.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { CallPanel } from "./call-panel.tsx";
import { Summary } from "./summary.tsx";

const KINDS = ["query", "mutation", "action", "route"] as const;
const DURATIONS = [10, 100, 500, 2000].map((each) => [String(each), `over ${duration(each)}`] as const);
/** So many are asked for at once; more as one scrolls, up to what the hub gives. */
const PAGE = 100;
const MOST = 500;

function FunctionCell({ path, more }: { path: string; more: number }) {
  return (
    <span className="mono">
      {path}
      {more > 0 && (
        <span className="more-alike" title="Others of this function that ended alike in the same second, and were only counted">
          {" "}
          +{compact(more)}
        </span>
      )}
    </span>
  );
}

const COLUMNS: readonly Column<Call>[] = [
  { name: "time", title: "Time", width: "118px", cell: ({ endedAt }) => <span className="mono time">{clock(endedAt)}</span> },
  { name: "kind", title: "Kind", width: "94px", drop: 4, cell: ({ kind }) => <span className={`tag ${kind}`}>{kind}</span> },
  { name: "function", title: "Function", width: "minmax(160px, 1.4fr)", cell: ({ path, more }) => <FunctionCell path={path} more={more} /> },
  {
    name: "outcome",
    title: "Outcome",
    width: "minmax(110px, 1.1fr)",
    drop: 1,
    cell: ({ outcome, message, lines }) =>
      outcome === "ok" ? (
        lines.length ? (
          <span className="line">{lines.at(-1)!.text}</span>
        ) : (
          <span className="fine">ok</span>
        )
      ) : (
        <span title={message}>
          {outcome}
          {message && <span className="reason"> {message}</span>}
        </span>
      ),
  },
  {
    name: "caller",
    title: "Caller",
    width: "minmax(120px, 0.9fr)",
    drop: 5,
    cell: ({ caller, callerName, inside }) => (caller ? <span title={caller}>{callerName ?? caller}</span> : <span className="fine">{inside ? "the application" : "nobody"}</span>),
  },
  { name: "duration", title: "Took", width: "76px", kind: "number", drop: 2, cell: ({ milliseconds }) => <span className={milliseconds > 500 ? "slow" : undefined}>{duration(milliseconds)}</span> },
  { name: "read", title: "Read", width: "66px", kind: "number", drop: 7, cell: ({ read }) => count(read) },
  { name: "written", title: "Written", width: "76px", kind: "number", drop: 6, cell: ({ written }) => (written ? count(written) : <span className="fine">0</span>) },
  { name: "bytes", title: "Result", width: "76px", kind: "number", drop: 8, cell: ({ bytes: size }) => bytes(size) },
];

export default function LogsPage() {
  const { parts, query } = useRoute();
  const [search, setSearch] = useState("");
  const [kind, setKind] = useState("");
  const [isFailed, setFailed] = useState(false);
  const [slower, setSlower] = useState("");
  const [isPaused, setPaused] = useState(false);
  const text = useDeferredValue(search.trim());
  const [limit, setLimit] = useState(PAGE);
  const asked = { limit, failed: isFailed, slowerThan: Number(slower), ...(kind && { kind }), ...(text && { text }) };
  const isSummary = parts[1] === "functions";
  const { value, error, isLoading } = useLive<readonly Call[]>(PATHS.logs, isPaused || isSummary ? "skip" : asked);
  const held = useRef<readonly Call[]>([]);
  held.current = value ?? held.current;
  const calls = held.current;
  const opened = query.get("call");

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === " " && !(event.target as Element).closest("button, a, input, select, textarea, pre")) (event.preventDefault(), setPaused((before) => !before));
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  const open = (number: number | undefined): void => goInstead(["logs"], { call: number === undefined ? undefined : String(number) });
  const failures = calls.filter(({ outcome }) => outcome !== "ok").length;
  const more = calls.reduce((sum, call) => sum + call.more, 0);
  return (
    <div className="page">
      <div className="bar">
        <h1>Logs</h1>
        <div className="tabs" role="group" aria-label="What is shown">
          <button aria-pressed={!isSummary} onClick={() => goInstead(["logs"])}>
            Calls
          </button>
          <button aria-pressed={isSummary} onClick={() => goInstead(["logs", "functions"])}>
            By function
          </button>
        </div>
        <span className="quiet">
          {isPaused ? "paused" : isSummary ? "the last minute" : `newest ${count(calls.length)}`}
          {!isSummary && failures > 0 && `, ${count(failures)} failed`}
          {!isSummary && more > 0 && `, ${compact(more)} more alike`}
        </span>
        <HubName />
        <span className="grow" />
        <SearchField value={search} change={setSearch} placeholder="Function, caller, error, line" />
        <Choice label="Kind" all="Every kind" value={kind} choices={KINDS} change={setKind} />
        {!isSummary && (
          <>
            <Choice label="Duration" all="However long" value={slower} choices={DURATIONS} change={setSlower} />
            <button aria-pressed={isFailed} onClick={() => setFailed(!isFailed)}>
              Failed
            </button>
          </>
        )}
        <button aria-pressed={isPaused} onClick={() => setPaused(!isPaused)} title="Space">
          <Icon name={isPaused ? "play" : "pause"} /> {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      {error && (
        <p className="alert" role="alert">
          {error.message}
        </p>
      )}
      {isSummary ? (
        <Summary isPaused={isPaused} kind={kind} search={search.trim()} choose={(path) => (setSearch(path), goInstead(["logs"]))} />
      ) : (
        <div className={opened ? "split open" : "split"}>
          <Rows
            label="Calls"
            columns={COLUMNS}
            rows={calls}
            keyOf={({ number }) => number}
            rowClass={({ outcome }) => (outcome === "ok" ? "" : "failed")}
            selected={opened ? Number(opened) : null}
            open={({ number }) => open(number)}
            {...(calls.length >= limit && limit < MOST && { more: () => setLimit(limit + PAGE) })}
            empty={
              !isLoading && (
                <div className="empty">
                  <h2>No calls {text || kind || isFailed || slower ? "like that" : "yet"}</h2>
                  <p>Each call of a query, mutation, action or route appears here when it ends. The hub keeps the newest 2,000 in its memory, and of one function 50 a second.</p>
                </div>
              )
            }
          />
          {opened && <CallPanel key={opened} number={Number(opened)} close={() => open(undefined)} open={open} />}
        </div>
      )}
    </div>
  );
}
