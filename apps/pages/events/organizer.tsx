/** What an organizer watches: sales by the hour, what is left of each tier, and pictures that are being made. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type DpBatch, type Event, type Hour } from "./api/api.ts";

const HOUR = 3_600_000;
const SHOWN = 24;
const money = (cents: number): string => (cents / 100).toLocaleString(undefined, { style: "currency", currency: "EUR", maximumFractionDigits: 0 });

export function Organizer({ event }: { event: Event }): ReactElement {
  const sales = useQuery(api.orders.sales, { eventId: event._id });
  const tiers = useQuery(api.gatherings.tiers, { eventId: event._id });
  const sum = (field: "tickets" | "amount"): number => sales?.reduce((total, hour) => total + hour[field], 0) ?? 0;
  return (
    <>
      <section className="card" aria-label="Sales">
        <div className="tools">
          <h3 className="grow">Tickets sold by the hour</h3>
          <p><strong>{sum("tickets")}</strong> tickets, <strong>{money(sum("amount"))}</strong></p>
        </div>
        <Bars hours={sales ?? []} />
      </section>
      <div className="halves">
        <section className="card" aria-label="Tiers">
          <h3>What is left</h3>
          <ul className="rows">
            {tiers?.map((tier) => (
              <li key={tier._id}>
                <span className="grow"><strong>{tier.name}</strong> <small>{money(tier.price)}</small></span>
                <span className={`badge ${tier.left === 0 ? "bad" : tier.left < tier.stock / 5 ? "warn" : "good"}`}>{tier.left} of {tier.stock}</span>
              </li>
            ))}
          </ul>
        </section>
        <Pictures event={event} />
      </div>
    </>
  );
}

/** The last day, the newest hour last. */
function Bars({ hours }: { hours: readonly Hour[] }): ReactElement {
  const sold = new Map(hours.map((hour) => [hour.start, hour.tickets]));
  const now = Math.floor(Date.now() / HOUR) * HOUR;
  const shown = Array.from({ length: SHOWN }, (_, place) => now - (SHOWN - 1 - place) * HOUR);
  const most = Math.max(1, ...shown.map((start) => sold.get(start) ?? 0));
  const words = shown.filter((start) => sold.has(start)).map((start) => `${label(start)}: ${sold.get(start)}`).join(", ");
  return (
    <div className="bars" role="img" aria-label={`Tickets by the hour: ${words || "none"}`}>
      {shown.map((start, place) => {
        const tickets = sold.get(start) ?? 0;
        return (
          <div key={start} title={`${label(start)}: ${tickets}`}>
            <b>{tickets || ""}</b>
            <span style={{ blockSize: `${(tickets / most) * 100}%` }} />
            <small>{place % 6 === 5 ? label(start) : ""}</small>
          </div>
        );
      })}
    </div>
  );
}

const label = (start: number): string => new Date(start).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

function Pictures({ event }: { event: Event }): ReactElement {
  const batches = useQuery(api.pictures.batches, { eventId: event._id });
  const design = useMutation(api.pictures.design);
  const start = useMutation(api.pictures.start);
  const [headline, setHeadline] = useState(`I am at ${event.title}`.slice(0, 60));
  const { act, busy, problem } = useAct();
  const begin = (submitted: FormEvent): void => {
    submitted.preventDefault();
    void act(async () => start({ templateId: await design({ eventId: event._id, headline }) }));
  };
  return (
    <section className="card" aria-label="Pictures">
      <h3>Display pictures</h3>
      <form className="line" onSubmit={begin}>
        <Field label="Headline"><input required maxLength={60} value={headline} onChange={(typed) => setHeadline(typed.target.value)} /></Field>
        <button className="primary" disabled={busy}>Make them</button>
      </form>
      <Problem error={problem} />
      <ul className="rows">{batches?.map((batch) => <Batch key={batch._id} batch={batch} />)}</ul>
      {batches?.length === 0 && <p className="quiet">None have been made yet: one for everybody who has a pass.</p>}
    </section>
  );
}

const LOOKS = { running: "accent", done: "good", cancelled: "warn", failed: "bad" } as const;

function Batch({ batch }: { batch: DpBatch }): ReactElement {
  const progress = useQuery(api.pictures.progress, { batchId: batch._id });
  const made = useQuery(api.pictures.ofBatch, batch.status === "running" ? "skip" : { batchId: batch._id });
  const cancel = useMutation(api.pictures.cancel);
  const { act, busy } = useAct();
  const over = progress ? progress.done + progress.refused : 0;
  return (
    <li className="batch">
      <span className={`badge ${LOOKS[batch.status]}`}>{batch.status}</span>
      <span className="grow">{over} of {progress?.total ?? batch.total}{progress?.refused ? `, ${progress.refused} refused` : ""}</span>
      {batch.status === "running" && <button disabled={busy} onClick={() => void act(() => cancel({ batchId: batch._id }))}>Cancel</button>}
      <div className="bar" role="img" aria-label={`${over} of ${batch.total} pictures`}><span style={{ inlineSize: `${(over / Math.max(1, batch.total)) * 100}%` }} /></div>
      {made && made.items.length > 0 && (
        <div className="faces">{made.items.slice(0, 6).map((dp) => <img key={dp.url} src={dp.url.replace(/^\//, "")} alt={dp.holder} width="56" height="56" />)}</div>
      )}
    </li>
  );
}
