/** Who waits, in the order in which they are called. */
import { useState, type FormEvent } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { api, type Visit } from "../api/api.ts";

const LINE = api.reception.waiting;

export function Line() {
  const visits = useQuery(LINE);
  const arrive = useMutation(api.reception.arrive);
  const [trouble, setTrouble] = useState<string | null>(null);
  const told = (call: Promise<unknown>): void => void call.then(() => setTrouble(null), (error: Error) => setTrouble(error.message));

  const add = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    event.currentTarget.reset();
    told(arrive({ name: String(fields.get("name")), reason: String(fields.get("reason")) }));
  };

  return (
    <>
      <form className="arrival" onSubmit={add}>
        <input name="name" required autoFocus aria-label="Name" placeholder="Who has come?" />
        <input name="reason" aria-label="Reason" placeholder="What for?" />
        <button>Add</button>
      </form>
      {trouble && <p role="alert">{trouble}</p>}
      {visits?.length === 0 && <p className="empty">Nobody waits.</p>}
      <ol>{visits?.map((visit, place) => <Row key={visit._id} visit={visit} place={place + 1} told={told} />)}</ol>
    </>
  );
}

function Row({ visit, place, told }: { visit: Visit; place: number; told: (call: Promise<unknown>) => void }) {
  const hurry = useMutation(api.reception.hurry);
  const leave = useMutation(api.reception.leave).withOptimisticUpdate((store, { visitId }) => {
    store.setQuery(LINE, {}, store.getQuery(LINE, {})?.filter(({ _id }) => _id !== visitId));
  });
  const visitId = visit._id;
  return (
    <li className={visit.urgent ? "urgent" : ""}>
      <span className="place">{place}</span>
      <span className="who"><strong>{visit.name}</strong> <span className="quiet">{visit.reason}</span></span>
      {visit.urgent ? <span className="badge">urgent</span> : <button className="quiet" onClick={() => told(hurry({ visitId }))}>To the front</button>}
      <button className="quiet" onClick={() => told(leave({ visitId }))}>Call in</button>
    </li>
  );
}
