/** The calls of the last minute by function: what a busy hub does, without a line for each. */
import { useLive } from "../browser/live.ts";
import { PATHS, type FunctionSummary } from "../api/hub.ts";
import { compact, count, duration } from "../ui/format.ts";
import { Rows, type Column } from "../ui/rows.tsx";

const COLUMNS: readonly Column<FunctionSummary>[] = [
  { name: "kind", title: "Kind", width: "94px", cell: ({ kind }) => (kind ? <span className={`tag ${kind}`}>{kind}</span> : null) },
  { name: "function", title: "Function", width: "minmax(200px, 1.6fr)", cell: ({ path }) => (path ? <span className="mono">{path}</span> : <span className="fine">all others</span>) },
  { name: "calls", title: "Calls", width: "92px", kind: "number", cell: ({ calls }) => count(calls) },
  { name: "rate", title: "A second", width: "92px", kind: "number", cell: ({ calls }) => compact(Math.round(calls / 6) / 10) },
  { name: "failures", title: "Failed", width: "84px", kind: "number", cell: ({ failures }) => (failures ? <span className="slow">{count(failures)}</span> : <span className="fine">0</span>) },
  { name: "average", title: "Average", width: "92px", kind: "number", cell: ({ average }) => duration(average) },
  { name: "slowest", title: "Slowest", width: "92px", kind: "number", cell: ({ slowest }) => <span className={slowest > 500 ? "slow" : undefined}>{duration(slowest)}</span> },
  { name: "total", title: "In all", width: "92px", kind: "number", cell: ({ average, calls }) => duration(average * calls) },
];

interface SummaryProps {
  readonly isPaused: boolean;
  readonly kind: string;
  readonly search: string;
  readonly choose: (path: string) => void;
}

export function Summary({ isPaused, kind, search, choose }: SummaryProps) {
  const { value, error } = useLive<readonly FunctionSummary[]>(PATHS.summary, isPaused ? "skip" : {});
  const rows = (value ?? []).filter((each) => (!kind || each.kind === kind) && each.path.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      {error && <p className="alert">{error.message}</p>}
      <div className="split">
        <Rows
          label="Calls of the last minute by function"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ kind: of, path }) => `${of} ${path}`}
          rowClass={({ failures }) => (failures ? "failed" : "")}
          open={({ path }) => choose(path)}
          empty={value && <p className="empty">Nothing was called in the last minute.</p>}
        />
      </div>
    </>
  );
}
