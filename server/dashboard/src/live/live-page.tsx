/** Live queries: who holds them, what they cost, and why they were run again. */
import { useMemo, useRef, useState } from "react";
import { HubName } from "../hub/hub-name.tsx";
import { useLive } from "../browser/live.ts";
import { goInstead, useRoute } from "../browser/route.ts";
import { PATHS, type LiveQueryInfo, type LiveQueryList } from "../api/hub.ts";
import { bytes, compact, count, duration, plural } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Rows, type Column } from "../ui/rows.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { LivePanel } from "./live-panel.tsx";

type Order = "total" | "average" | "subscribers" | "runs" | "anew" | "pushed" | "read";

/** So many are asked for at once; more as one scrolls, up to what the hub gives. */
const PAGE = 100;
const MOST = 500;
const NONE: readonly LiveQueryInfo[] = [];

export default function LivePage() {
  const { query } = useRoute();
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order>("total");
  const [limit, setLimit] = useState(PAGE);
  const { value, error } = useLive<LiveQueryList>(PATHS.live, { limit, order, ...(search.trim() && { path: search.trim() }) });
  const held = useRef<LiveQueryList | undefined>(undefined);
  held.current = value ?? held.current;
  const { queries: rows = NONE, count: all = 0 } = held.current ?? {};
  const opened = query.get("query");

  const columns = useMemo((): Column<LiveQueryInfo>[] => {
    const numeric = (name: Order, title: string, width: string, drop: number, cell: (row: LiveQueryInfo) => string): Column<LiveQueryInfo> => ({
      name,
      drop,
      width,
      kind: "number",
      cell,
      title: (
        <button className="sort" aria-pressed={order === name} onClick={() => setOrder(name)}>
          {title} {order === name && <Icon name="down" size={12} />}
        </button>
      ),
    });
    return [
      { name: "state", title: <span className="hidden">State</span>, width: "34px", kind: "mark", cell: ({ state, error: code }) => <span title={state} className={code ? "dot bad" : state === "current" ? "dot good" : state === "kept" ? "dot" : "dot warn"} /> },
      { name: "path", title: "Query", width: "minmax(170px, 1fr)", cell: ({ path }) => <code>{path}</code> },
      { name: "arguments", title: "Arguments", width: "minmax(130px, 1.2fr)", drop: 2, cell: ({ arguments: args }) => <span className="mono quiet-ink">{args}</span> },
      { name: "caller", title: "Answer of", width: "minmax(96px, 0.7fr)", drop: 5, cell: ({ caller }) => caller ?? <span className="quiet-ink">everybody</span> },
      numeric("subscribers", "Held by", "80px", 1, (row) => count(row.subscribers)),
      numeric("runs", "Runs", "70px", 3, (row) => compact(row.runs)),
      numeric("anew", "Anew", "72px", 6, (row) => compact(row.anew)),
      numeric("average", "A run", "78px", 4, (row) => duration(row.average)),
      numeric("total", "In all", "78px", 0, (row) => duration(row.total)),
      numeric("read", "Reads", "74px", 8, (row) => compact(row.read)),
      { name: "size", title: "Result", width: "76px", kind: "number", drop: 9, cell: ({ size }) => bytes(size) },
      numeric("pushed", "Pushed", "80px", 7, (row) => bytes(row.pushed)),
    ];
  }, [order]);

  const open = (number: number | undefined): void => goInstead(["live"], { query: number === undefined ? undefined : String(number) });
  return (
    <div className="page">
      <div className="bar">
        <h1>Live queries</h1>
        <span className="quiet">{held.current && plural(all, "query", "queries")}{all > rows.length && `, the first ${count(rows.length)} of them`}</span>
        <HubName />
        <span className="grow" />
        <SearchField value={search} change={setSearch} placeholder="Function" />
      </div>
      {error && <p className="alert">{error.message}</p>}
      <div className={opened ? "split open" : "split"}>
        <Rows
          label="Live queries"
          columns={columns}
          rows={rows}
          keyOf={({ number }) => number}
          rowClass={({ error: code }) => (code ? "failed" : "")}
          selected={opened ? Number(opened) : null}
          open={({ number }) => open(number)}
          {...(rows.length >= limit && limit < MOST && { more: () => setLimit(limit + PAGE) })}
          empty={
            held.current && (
              <div className="empty">
                <h2>Nobody follows a query</h2>
                <p>What clients subscribe to appears here, with what each run reads and costs.</p>
              </div>
            )
          }
        />
        {opened && <LivePanel key={opened} number={Number(opened)} close={() => open(undefined)} />}
      </div>
    </div>
  );
}
