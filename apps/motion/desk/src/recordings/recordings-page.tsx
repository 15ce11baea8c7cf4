/** A list of recordings, and the one that is open beside it. */
import { useDeferredValue, useEffect, useMemo, useState, type ReactElement, type ReactNode } from "react";
import type { PageProps } from "../ui/page.tsx";
import { goInstead, linkTo } from "../browser/route.ts";
import { Button, Empty, IconButton, Skeleton } from "../ui/controls.tsx";
import { count } from "../ui/format.ts";
import type { IconName } from "../ui/icons.tsx";
import { EVERYTHING, filtered, isFiltering } from "./filter.ts";
import { FilterBar } from "./filter-bar.tsx";
import { showImport } from "./importing.ts";
import { usePeople } from "./people.ts";
import { RecordingList } from "./recording-list.tsx";
import { RecordingView } from "./recording-view.tsx";
import { useSource } from "./source.ts";

const NEAR_ENOUGH = 30;

interface Words {
  readonly title: string;
  readonly icon: IconName;
  readonly empty: string;
  readonly text: ReactNode;
}

const WORDS: Readonly<Record<string, Words>> = {
  recordings: { title: "Recordings", icon: "activity", empty: "No recordings yet", text: "Drop a .mot, .sto or .csv file anywhere on this window, or record live." },
  "of-me": { title: "Recordings of me", icon: "person", empty: "Nobody has recorded you yet", text: "When your physiotherapist records you, it appears here at once." },
  shared: { title: "Shared with me", icon: "share", empty: "Nothing is shared with you", text: "Recordings that your contacts share with you appear here." },
  archive: { title: "Archive", icon: "archive", empty: "The archive is empty", text: "What you archive stays here for 30 days and can be restored." },
};

/** @param of Whose recordings are asked for: `#/recordings/of/{userId}` leads here. */
export function RecordingsPage({ place, id, of, openMenu }: { place: string; id: string | undefined; of: string | undefined } & PageProps): ReactElement {
  const words = WORDS[place]!;
  const { recordings, more } = useSource(place);
  const people = usePeople();
  const [filter, setFilter] = useState(EVERYTHING);
  const asked = useDeferredValue(filter);
  const shown = useMemo(() => recordings && filtered(recordings, asked, people), [recordings, asked, people]);
  const [wide, setWide] = useState(false);
  useEffect(() => {
    document.title = `${words.title} · Motion Desk`;
  }, [words]);
  useEffect(() => {
    if (of === undefined) return;
    setFilter({ ...EVERYTHING, subject: of });
    goInstead(place);
  }, [of, place]);
  useEffect(() => {
    // what is looked for may be further down
    if (more && shown && isFiltering(asked) && shown.length < NEAR_ENOUGH) more();
  }, [more, shown, asked]);
  return (
    <div className={`split ${id ? "has-detail" : recordings?.length === 0 ? "bare" : ""} ${wide && id ? "wide" : ""}`}>
      <section className="list-pane" aria-label={words.title}>
        <header className="page-head">
          <IconButton icon="menu" label="Menu" className="menu-button" onClick={openMenu} />
          <h1>{words.title}</h1>
          {recordings && recordings.length > 0 && <span className="amount">{recordings.length.toLocaleString()}{more ? "+" : ""}</span>}
        </header>
        {recordings && recordings.length > 0 && <FilterBar recordings={recordings} people={people} filter={filter} onFilter={setFilter} />}
        {!shown && <Skeleton rows={8} />}
        {recordings?.length === 0 && <EmptyList words={words} place={place} />}
        {shown && recordings!.length > 0 && shown.length === 0 && (
          <Empty icon="search" title="Nothing matches" action={<Button onClick={() => setFilter(EVERYTHING)}>Show everything</Button>}>
            Of {count(recordings!.length, "recording")} none has all of this.
          </Empty>
        )}
        {shown && shown.length > 0 && <RecordingList place={place} recordings={shown} people={people} id={id} more={more} />}
      </section>
      <section className="detail-pane" aria-label="Recording">
        {id ? (
          <RecordingView key={id} id={id} place={place} wide={wide} onWide={() => setWide(!wide)} onClose={() => goInstead(place)} />
        ) : (
          recordings && <Empty icon={words.icon} title="Choose a recording">Its plot, numbers and notes appear here. Use the arrow keys to move through the list.</Empty>
        )}
      </section>
    </div>
  );
}

function EmptyList({ words, place }: { words: Words; place: string }): ReactElement {
  const actions = (
    <div className="actions">
      <Button kind="primary" icon="upload" onClick={showImport}>Import a file</Button>
      <a className="button quiet" href={linkTo("live")}>Record live</a>
    </div>
  );
  return <Empty icon={words.icon} title={words.empty} action={place === "recordings" ? actions : null}>{words.text}</Empty>;
}
