/** Two screens of an event: the door, and what its organizer watches. */
import { useEffect, useState, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { TopBar } from "../shared/session.tsx";
import { Choices } from "../shared/ui.tsx";
import { api, type Event, type Workspace } from "./api/api.ts";
import { Door } from "./door.tsx";
import { Organizer } from "./organizer.tsx";

type View = "organizer" | "door";

export function Events(): ReactElement {
  const arrive = useMutation(api.users.arrive);
  const me = useQuery(api.users.me);
  const workspaces = useQuery(api.workspaces.mine);
  useEffect(() => {
    if (me === null) void arrive({});
  }, [me, arrive]);
  if (!me || workspaces === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  const [workspace] = workspaces;
  return workspace ? <Desk name={me.name} workspace={workspace} /> : (
    <>
      <TopBar title="Events" tenant="" user={me.name} role="guest" />
      <p className="quiet centre">You belong to no workspace: ask somebody who manages one.</p>
    </>
  );
}

function Desk({ name, workspace }: { name: string; workspace: Workspace }): ReactElement {
  const workspaceId = workspace._id;
  const sells = useQuery(api.users.may, { capability: "sales.read", workspaceId });
  const events = useQuery(api.gatherings.ofWorkspace, { workspaceId });
  const [view, setView] = useState<View>("organizer");
  const [chosen, setChosen] = useState<string | null>(null);
  const event = events?.find((each) => each._id === chosen) ?? events?.[0];
  const views = sells ? { organizer: "Organizer", door: "Door" } : { door: "Door" };
  return (
    <>
      <TopBar title="Events" tenant={workspace.name} user={name} role={sells ? "organizer" : "door"}>
        <Choices label="View" value={sells ? view : "door"} choices={views as Record<View, string>} onChoose={setView} />
      </TopBar>
      <main className="page">
        {event && <Heading event={event} events={events ?? []} onChoose={setChosen} />}
        {events?.length === 0 && <p className="quiet centre">There is no event yet.</p>}
        {event && sells !== undefined && (sells && view === "organizer" ? <Organizer key={event._id} event={event} /> : <Door key={event._id} event={event} />)}
      </main>
    </>
  );
}

function Heading({ event, events, onChoose }: { event: Event; events: readonly Event[]; onChoose: (id: string) => void }): ReactElement {
  const when = new Date(event.startsAt).toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" });
  return (
    <div className="tools">
      <div className="grow">
        <h2 className="event">{event.title}</h2>
        <p className="quiet">{event.venue} · {when}</p>
      </div>
      {events.length > 1 && (
        <select aria-label="Event" value={event._id} onChange={(change) => onChoose(change.target.value)}>
          {events.map((each) => <option key={each._id} value={each._id}>{each.title}</option>)}
        </select>
      )}
    </div>
  );
}
