/** Live sessions: those that run, and beginning another. */
import { useState, type ReactElement } from "react";
import { useQuery } from "synovia-client/react";
import { api, type LiveSession } from "../api/api.ts";
import { linkTo } from "../browser/route.ts";
import { nameOf, subjectOf, type People } from "../recordings/naming.ts";
import { usePeople } from "../recordings/people.ts";
import { Avatar, Button, Empty, Skeleton } from "../ui/controls.tsx";
import { clock, hertz } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Page, type PageProps } from "../ui/page.tsx";
import { LiveView } from "./live-view.tsx";
import { StartDialog } from "./start-dialog.tsx";

export function LivePage({ id, openMenu }: { id: string | undefined } & PageProps): ReactElement {
  return id ? <LiveView key={id} id={id as LiveSession["_id"]} openMenu={openMenu} /> : <LiveList openMenu={openMenu} />;
}

function LiveList({ openMenu }: PageProps): ReactElement {
  const running = useQuery(api.live.listRunning, {});
  const people = usePeople();
  const [asking, setAsking] = useState(false);
  const start = <Button kind="primary" icon="live" onClick={() => setAsking(true)}>Start a session</Button>;
  return (
    <Page title="Live" text="What is being measured now, of you, by you, or shared with you." actions={start} openMenu={openMenu}>
      {!running && <Skeleton rows={3} />}
      {running?.length === 0 && <Empty icon="live" title="Nothing is being measured" action={start}>A session that runs appears here at once, and grows as you watch.</Empty>}
      {running && running.length > 0 && (
        <ul className="rows" aria-label="Running sessions">
          {running.map((session) => <Row key={session._id} session={session} people={people} />)}
        </ul>
      )}
      {asking && <StartDialog people={people} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Row({ session, people }: { session: LiveSession; people: People }): ReactElement {
  const subject = subjectOf(people, session);
  const isMine = session.ownerId === people.me._id;
  return (
    <li>
      <a className="row" href={linkTo("live", session._id)}>
        <Avatar name={subject} size={40} />
        <div className="row-words">
          <strong>{subject}</strong>
          <span>measured by {isMine ? "you" : <bdi>{nameOf(people, session.ownerId)}</bdi>} · {hertz(session.sampleRate)}</span>
        </div>
        <span className="row-when">{clock(session.sampleCount / session.sampleRate)}</span>
        <span className="on-air">Live</span>
        <Icon name="chevron" />
      </a>
    </li>
  );
}
