/** One call, and the request that it belongs to. */
import { useLive } from "../browser/live.ts";
import { FunctionLink } from "../browser/function-link.tsx";
import { PATHS, type Call, type CallDetails } from "../api/hub.ts";
import { Facts } from "../ui/facts.tsx";
import { bytes, clock, count, duration, plural } from "../ui/format.ts";
import { LogLines } from "../ui/log-lines.tsx";
import { Panel } from "../ui/panel.tsx";

export function CallPanel({ number, close, open }: { number: number; close: () => void; open: (number: number) => void }) {
  const { value: details, error } = useLive<CallDetails>(PATHS.call, { number });
  if (!details) {
    return (
      <Panel title={`Call ${number}`} label="Call" close={close}>
        {error && <p className="hint">{error.message}</p>}
      </Panel>
    );
  }
  const { call, traceback, result, related } = details;
  return (
    <Panel
      label={`Call of ${call.path}`}
      title={
        <>
          <span className={`tag ${call.kind}`}>{call.kind}</span> <code>{call.path}</code>
        </>
      }
      close={close}
    >
      <Facts
        facts={[
          ["Outcome", <span className={call.outcome === "ok" ? "tag good" : "tag bad"}>{call.outcome}</span>],
          ["Took", duration(call.milliseconds)],
          ["Ended", clock(call.endedAt)],
          ["Caller", call.caller ?? (call.inside ? "the application" : "nobody")],
          ["Read", count(call.read)],
          ["Written", count(call.written)],
          ["Result", bytes(call.bytes)],
          ["Function", <FunctionLink path={call.path} />],
        ]}
      />
      {call.more > 0 && <p className="hint">{plural(call.more, "other call")} of this function ended alike in the same second, and were only counted.</p>}
      {call.message && <p className="alert">{call.message}</p>}
      {traceback && (
        <section>
          <h3>Traceback {call.reference && <code>{call.reference}</code>}</h3>
          <pre className="block" tabIndex={0}>
            {traceback}
          </pre>
        </section>
      )}
      <LogLines lines={call.lines} />
      {related.length > 0 && <Request calls={related} chosen={call.number} open={open} />}
      {result && (
        <section>
          <h3>Result</h3>
          <pre className="block" tabIndex={0}>
            {result}
          </pre>
        </section>
      )}
    </Panel>
  );
}

/** All calls of a request, each below the one that has made or scheduled it, on one line of time. */
function Request({ calls, chosen, open }: { calls: readonly Call[]; chosen: number; open: (number: number) => void }) {
  const depths = new Map<number, number>();
  for (const { number, cause } of calls) depths.set(number, cause === undefined ? 0 : (depths.get(cause) ?? -1) + 1);
  const began = Math.min(...calls.map((call) => call.endedAt - call.milliseconds));
  const span = Math.max(...calls.map((call) => call.endedAt)) - began || 1;
  return (
    <section>
      <h3>Request</h3>
      <ol className="request">
        {calls.map((call) => (
          <li key={call.number}>
            <button aria-current={call.number === chosen ? "true" : undefined} onClick={() => open(call.number)} style={{ paddingLeft: 8 + 14 * (depths.get(call.number) ?? 0) }}>
              <span className={call.outcome === "ok" ? "dot good" : "dot bad"} />
              <code>{call.path}</code>
              <span className="track">
                <i style={{ left: `${((call.endedAt - call.milliseconds - began) / span) * 100}%`, width: `${Math.max(1.5, (call.milliseconds / span) * 100)}%` }} />
              </span>
              <span className="took">{duration(call.milliseconds)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
