import { memo, useEffect, useRef, type ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { goInstead, linkTo } from "../browser/route.ts";
import { isTyping } from "../browser/keyboard.ts";
import { Avatar } from "../ui/controls.tsx";
import { dayHeading, duration, fromNow, timeOfDay } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { nameOf, subjectOf, titleOf, type People } from "./naming.ts";

interface ListProps {
  readonly place: string;
  readonly recordings: readonly Recording[];
  readonly people: People;
  readonly id: string | undefined;
  readonly more: (() => void) | null;
}

export function RecordingList({ place, recordings, people, id, more }: ListProps): ReactElement {
  const root = useRef<HTMLDivElement>(null);
  useArrowKeys(root, place);
  useEffect(() => {
    root.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [id]);
  const now = Date.now();
  return (
    <div className="recordings" ref={root}>
      {byDay(recordings, place, now).map(([heading, ofDay]) => (
        <section key={heading} aria-label={heading}>
          <h2 className="day">{heading}</h2>
          <ul>
            {ofDay.map((recording) => (
              <Row
                key={recording._id} place={place} recording={recording} isOpen={recording._id === id}
                subject={subjectOf(people, recording)} owner={recording.ownerId === people.me._id ? null : nameOf(people, recording.ownerId)}
              />
            ))}
          </ul>
        </section>
      ))}
      {more && <More key={recordings.length} more={more} />}
    </div>
  );
}

function byDay(recordings: readonly Recording[], place: string, now: number): [string, Recording[]][] {
  const days = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const heading = place === "archive" ? `Archived ${fromNow(recording.archivedAt ?? now, now)}` : dayHeading(recording.startTime, now);
    const day = days.get(heading);
    if (day) day.push(recording);
    else days.set(heading, [recording]);
  }
  return [...days];
}

interface RowProps {
  readonly place: string;
  readonly recording: Recording;
  readonly isOpen: boolean;
  readonly subject: string;
  readonly owner: string | null;
}

const Row = memo(function Row({ place, recording, isOpen, subject, owner }: RowProps): ReactElement {
  const { _id, startTime, durationMs, exerciseType, tags = [], sharedWith, archiveReason } = recording;
  return (
    <li>
      <a className="recording" href={linkTo(place, _id)} aria-current={isOpen ? "true" : undefined} data-id={_id}>
        <Avatar name={owner && place !== "shared" ? owner : subject} size={36} />
        <span className="recording-words">
          <strong>{titleOf(recording)}</strong>
          <span className="recording-who">
            {(place !== "of-me" || !owner) && <bdi>{subject}</bdi>}
            {owner && <>{place === "of-me" ? "by " : " · by "}<bdi>{owner}</bdi></>}
            {exerciseType && <> · <bdi>{exerciseType}</bdi></>}
          </span>
          {archiveReason && <span className="recording-reason">“<bdi>{archiveReason}</bdi>”</span>}
          {tags.length > 0 && <span className="recording-tags">{tags.map((tag) => <span key={tag} className="tag"><bdi>{tag}</bdi></span>)}</span>}
        </span>
        <span className="recording-when">
          <time dateTime={new Date(startTime).toISOString()}>{timeOfDay(startTime)}</time>
          <span>{duration(durationMs)}</span>
          {sharedWith && !owner && <span title={`Shared with ${sharedWith.length}`}><Icon name="share" size={13} /> {sharedWith.length}</span>}
        </span>
      </a>
    </li>
  );
});

/** Arrow keys move through the list, whatever has the focus that does not want them itself. */
function useArrowKeys(root: { current: HTMLDivElement | null }, place: string): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]")) return;
      const rows = [...(root.current?.querySelectorAll<HTMLElement>("[data-id]") ?? [])];
      const focused = rows.indexOf(document.activeElement as HTMLElement);
      const at = focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
      const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
      if (!row) return;
      event.preventDefault();
      row.focus();
      // beside the list there is room for what is chosen; on a phone it would cover the list
      if (matchMedia("(min-width: 1180px)").matches) goInstead(place, row.dataset["id"]!);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [root, place]);
}

/** Reads more when it comes into sight. */
function More({ more }: { more: () => void }): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { rootMargin: "400px" });
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, [more]);
  return <div ref={place} className="more"><button type="button" className="link" onClick={more}>Show more</button></div>;
}
