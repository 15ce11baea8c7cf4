/** Who is connected to this hub. */
import { useState } from "react";
import { useSynovia } from "synovia-client/react";
import { HubName } from "../hub/hub-name.tsx";
import { useLive } from "../browser/live.ts";
import { goInstead, useRoute } from "../browser/route.ts";
import { PATHS, type ClientInfo } from "../api/hub.ts";
import { useMayChange } from "../session/use-session.ts";
import { Confirm } from "../ui/confirm.tsx";
import { bytes, count, duration, plural } from "../ui/format.ts";
import { Rows, type Column } from "../ui/rows.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { act } from "../ui/toasts.tsx";
import { ClientPanel } from "./client-panel.tsx";

export default function ClientsPage() {
  const client = useSynovia();
  const mayChange = useMayChange();
  const [search, setSearch] = useState("");
  const [ending, setEnding] = useState<ClientInfo | null>(null);
  const { value: found, error } = useLive<readonly ClientInfo[]>(PATHS.clients, { limit: 1000 });
  const opened = useRoute().query.get("client");
  const open = (name: string | undefined): void => goInstead(["clients"], { client: name });
  const wanted = search.trim().toLowerCase();
  const rows = (found ?? []).filter((each) => !wanted || `${each.name} ${each.caller ?? ""} ${each.callerName ?? ""}`.toLowerCase().includes(wanted));

  const columns: Column<ClientInfo>[] = [
    { name: "name", title: "Connection", width: "minmax(168px, 1.2fr)", cell: ({ name }) => <span className="mono">{name.replace(/^connection /, "")}</span> },
    { name: "caller", title: "Signed in as", width: "minmax(110px, 1.2fr)", drop: 1, cell: ({ caller, callerName }) => (caller ? <span title={caller}>{callerName ?? caller}</span> : <span className="quiet-ink">nobody</span>) },
    { name: "protocol", title: "Protocol", width: "96px", drop: 6, cell: ({ protocol }) => <span className="tag">{protocol === "convex" ? "Convex" : "Synovia"}</span> },
    { name: "holds", title: "Queries", width: "86px", kind: "number", drop: 2, cell: ({ holds }) => count(holds) },
    { name: "waiting", title: "Waiting", width: "92px", kind: "number", drop: 3, cell: ({ waiting }) => (waiting ? <span className="slow">{bytes(waiting)}</span> : <span className="quiet-ink">0 B</span>) },
    { name: "busy", title: "State", width: "96px", drop: 5, cell: ({ busy }) => <span className={busy ? "tag warn" : "tag"}>{busy ? "running" : "idle"}</span> },
    { name: "seconds", title: "Open for", width: "92px", kind: "number", drop: 4, cell: ({ seconds }) => duration(seconds * 1000) },
    ...(mayChange
      ? [
          {
            name: "end",
            title: <span className="hidden">End</span>,
            width: "74px",
            cell: (row: ClientInfo) => (
              <button className="link" onClick={(event) => (event.stopPropagation(), setEnding(row))} aria-label={`End ${row.name}`}>
                End
              </button>
            ),
          },
        ]
      : []),
  ];
  return (
    <div className="page">
      <div className="bar">
        <h1>Clients</h1>
        <span className="quiet">{found && plural(found.length, "connection")}</span>
        <HubName />
        <span className="grow" />
        <SearchField value={search} change={setSearch} placeholder="Address or person" />
      </div>
      {error && <p className="alert">{error.message}</p>}
      <div className={opened ? "split open" : "split"}>
        <Rows label="Connections" columns={columns} rows={rows} keyOf={({ name }) => name} selected={opened} open={({ name }) => open(name)} empty={found && <p className="empty">Nobody is connected like that.</p>} />
        {opened && <ClientPanel key={opened} name={opened} close={() => open(undefined)} />}
      </div>
      {ending && (
        <Confirm
          title="End this connection?"
          verb="End it"
          cancel={() => setEnding(null)}
          confirm={() => (setEnding(null), void act(() => client.action(PATHS.endClient, { name: ending.name }), "Ended"))}
        >
          <p>
            <code>{ending.name}</code>
            {ending.caller && ` of ${ending.callerName ?? ending.caller}`}. The client comes back by itself unless it was closed; to keep somebody out, revoke their session.
          </p>
        </Confirm>
      )}
    </div>
  );
}
