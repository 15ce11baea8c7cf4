/** How this hub is, and what it does: figures of now, and rates of the last two minutes. */
import { useRef } from "react";
import { useLive } from "../browser/live.ts";
import { PATHS, type HubState } from "../api/hub.ts";
import { bytes, compact, count, duration, plural } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Spark } from "./spark.tsx";

const KEPT = 120;
const PARTS = ["store", "log", "indexes", "engine", "loop", "schema", "scheduler", "hub"] as const;

interface Rates {
  readonly calls: number;
  readonly failures: number;
  readonly committed: number;
  readonly liveRuns: number;
  readonly sentBytes: number;
}

export default function HealthPage() {
  const { value: state, error } = useLive<HubState>(PATHS.health);
  const seen = useRef<HubState[]>([]);
  if (state && seen.current.at(-1) !== state) seen.current = [...seen.current.slice(-KEPT), state];
  if (!state) return error ? <p className="alert">{error.message}</p> : <div className="blank" role="status" aria-label="Loading" />;
  const rates = seen.current.slice(1).map((now, place) => ratesOf(seen.current[place]!, now));
  const now = rates.at(-1);
  const { report, gauges, counters } = state;
  const faults = report["faults"] as readonly { part: string; fault: string }[];
  const status = String(report["status"]);
  const perSecond = (name: keyof Rates): readonly number[] => rates.map((each) => each[name]);
  return (
    <div className="page">
      <div className="bar">
        <h1>Health</h1>
        <span className={status === "ok" ? "tag good" : status === "degraded" ? "tag warn" : "tag bad"}>{status}</span>
        <span className="quiet">
          {state.application}, hub {state.hub}, up {duration(state.at - state.startedAt)}
        </span>
      </div>
      <div className="health" role="region" aria-label="Figures" tabIndex={0}>
        {faults.map(({ part, fault }) => (
          <p className="alert" role="alert" key={part}>
            <Icon name="warning" /> <b>{part}</b> {fault}
          </p>
        ))}
        <section className="charts" aria-label="Rates">
          <Spark title="Calls a second" values={perSecond("calls")} text={now ? compact(Math.round(now.calls)) : "–"} note={`${compact(counters["calls"] ?? 0)} in all`} />
          <Spark title="Failures a second" values={perSecond("failures")} text={now ? compact(Math.round(now.failures * 10) / 10) : "–"} note={`${compact(counters["failures"] ?? 0)} in all`} isBad />
          <Spark title="Commits a second" values={perSecond("committed")} text={now ? compact(Math.round(now.committed)) : "–"} note={`${compact(counters["committed"] ?? 0)} mutations in ${compact(counters["transactions"] ?? 0)} transactions`} />
          <Spark title="Reruns a second" values={perSecond("liveRuns")} text={now ? compact(Math.round(now.liveRuns)) : "–"} note={`of ${compact(gauges["liveQueries"] ?? 0)} live queries`} />
          <Spark title="Sent a second" values={perSecond("sentBytes")} text={now ? bytes(Math.round(now.sentBytes)) : "–"} note={`${bytes(counters["sentBytes"] ?? 0)} in all`} />
          <Spark title="Memory" values={seen.current.map(({ memory }) => memory ?? 0)} text={state.memory ? bytes(state.memory) : "–"} note="of the process" />
        </section>
        <section className="cards">
          <Card title="Clients" facts={[["connected", count(gauges["connections"] ?? 0)], ["let in", compact(counters["accepted"] ?? 0)], ["refused", compact(counters["refused"] ?? 0)]]} />
          <Card title="Live queries" facts={[["kept", count(gauges["liveQueries"] ?? 0)], ["running", count(gauges["running"] ?? 0)], ["waiting for a place", count(gauges["waiting"] ?? 0)], ["held by nobody", `${count(gauges["lingering"] ?? 0)}, ${bytes(gauges["lingeringBytes"] ?? 0)}`]]} />
          <Card title="Commits" facts={[["backlog", count(gauges["backlog"] ?? 0)], ["run again, overtaken", compact(counters["outdated"] ?? 0)], ["conflicts with other hubs", compact(counters["conflicts"] ?? 0)]]} />
          <Card title="Log" facts={[["behind the database", duration((gauges["lagSeconds"] ?? 0) * 1000)], ["gaps", count(counters["gaps"] ?? 0)]]} />
          <Card title="Documents" facts={[["known not to fit", count(gauges["unreadable"] ?? 0)]]} />
        </section>
        <section>
          <h2 className="label">Limits that were hit</h2>
          <Limits hit={state.limits} />
        </section>
        {state.shared && (
          <p className="hint">
            Logs, live queries, clients and these figures are those of the hub <code>{state.hub}</code>; data and calls to come are the same at all hubs of this database. To look
            at another one, open the dashboard at its own address, not at the load balancer&apos;s.
          </p>
        )}
        <section>
          <h2 className="label">Parts</h2>
          <ul className="parts">
            {PARTS.filter((part) => part in report).map((part) => {
              const told = String(report[part]);
              const isFaulty = faults.some((fault) => fault.part === part);
              return (
                <li key={part}>
                  <span className={isFaulty ? "dot bad" : "dot good"} />
                  <b>{part}</b>
                  <span>{told}</span>
                </li>
              );
            })}
          </ul>
        </section>
      </div>
    </div>
  );
}

function Limits({ hit }: { hit: HubState["limits"] }) {
  const found = Object.entries(hit).sort(([, a], [, b]) => b - a);
  if (!found.length) return <p className="hint">None since this hub was started.</p>;
  return (
    <ul className="parts limits">
      {found.map(([name, times]) => (
        <li key={name}>
          <span className="dot warn" />
          <b>{name}</b>
          <span>{plural(times, "time")}</span>
        </li>
      ))}
    </ul>
  );
}

function ratesOf(before: HubState, now: HubState): Rates {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const rate = (name: string): number => Math.max(0, ((now.counters[name] ?? 0) - (before.counters[name] ?? 0)) / seconds);
  return { calls: rate("calls"), failures: rate("failures"), committed: rate("committed"), liveRuns: rate("liveRuns"), sentBytes: rate("sentBytes") };
}

function Card({ title, facts }: { title: string; facts: readonly (readonly [string, string])[] }) {
  return (
    <div className="card">
      <h2 className="label">{title}</h2>
      <dl>
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
