/** One connection: as of when it is told, what waits for it, and the queries that it holds. */
import { useLive } from "../browser/live.ts";
import { linkTo } from "../browser/route.ts";
import { PATHS, type ClientDetails } from "../api/hub.ts";
import { Facts } from "../ui/facts.tsx";
import { bytes, duration } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";

export function ClientPanel({ name, close }: { name: string; close: () => void }) {
  const { value: details, error } = useLive<ClientDetails>(PATHS.client, { name });
  const title = <span className="mono">{name.replace(/^connection /, "")}</span>;
  if (!details || error) {
    return (
      <Panel title={title} label={`Client ${name}`} close={close}>
        {error && <p className="hint">{error.message}</p>}
      </Panel>
    );
  }
  const { client, asOf, head, queries } = details;
  return (
    <Panel title={title} label={`Client ${name}`} close={close}>
      <Facts
        facts={[
          ["Signed in as", client.callerName ?? client.caller ?? "nobody"],
          ["Protocol", client.protocol === "convex" ? "Convex" : "Synovia"],
          ["Open for", duration(client.seconds * 1000)],
          ["Request", client.busy ? "one runs" : "none runs"],
          ["Waits for it", bytes(client.waiting)],
        ]}
      />
      <section>
        <h3>As of when</h3>
        {asOf === undefined ? (
          <p className="hint">Convex clients count instants of their own.</p>
        ) : (
          <p>
            The commit <code>{asOf}</code>
            {client.behind ? (
              <span className="hint">
                ; the newest is <code>{head}</code>. What changes nothing of its queries it is not told of.
              </span>
            ) : (
              <span className="hint">, the newest.</span>
            )}
          </p>
        )}
      </section>
      <section>
        <h3>What it holds</h3>
        {queries.length ? (
          <ul className="why plain">
            {queries.map(({ number, path, arguments: args, state }) => (
              <li key={number}>
                <a href={linkTo(["live"], { query: String(number) })}>
                  <code>{path}</code>
                </a>{" "}
                <span className="mono quiet-ink">{args}</span> {state !== "current" && <span className="tag">{state}</span>}
              </li>
            ))}
          </ul>
        ) : (
          <p className="hint">{client.holds ? "Only what operators look at." : "No query."}</p>
        )}
      </section>
    </Panel>
  );
}
