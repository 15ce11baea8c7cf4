import { useMemo, type ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { Icon } from "../ui/icons.tsx";
import { EVERYTHING, isFiltering, subjectsOf, tagsOf, type Filter } from "./filter.ts";
import type { People } from "./naming.ts";

const MOST_TAGS = 12;

export function FilterBar({ recordings, people, filter, onFilter }: {
  recordings: readonly Recording[]; people: People; filter: Filter; onFilter: (filter: Filter) => void;
}): ReactElement {
  const tags = useMemo(() => tagsOf(recordings), [recordings]);
  const subjects = useMemo(() => subjectsOf(recordings, people, filter.subject), [recordings, people, filter.subject]);
  const toggle = (tag: string): void =>
    onFilter({ ...filter, tags: filter.tags.includes(tag) ? filter.tags.filter((one) => one !== tag) : [...filter.tags, tag] });
  return (
    <div className="filters" role="search">
      <div className="search">
        <Icon name="search" size={16} />
        <input
          type="search" aria-label="Search recordings" placeholder="Search" value={filter.text}
          onChange={(event) => onFilter({ ...filter, text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            onFilter(EVERYTHING);
            event.currentTarget.blur();
          }}
        />
        <kbd>/</kbd>
        {(subjects.length > 1 || filter.subject !== null) && (
          <select aria-label="Subject" value={filter.subject ?? ""} onChange={(event) => onFilter({ ...filter, subject: event.target.value || null })}>
            <option value="">Everybody</option>
            {subjects.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
          </select>
        )}
      </div>
      {tags.length > 0 && (
        <div className="chips" role="group" aria-label="Tags">
          {tags.slice(0, MOST_TAGS).map((tag) => (
            <button key={tag} type="button" className="chip" aria-pressed={filter.tags.includes(tag)} onClick={() => toggle(tag)}><bdi>{tag}</bdi></button>
          ))}
          {isFiltering(filter) && <button type="button" className="link" onClick={() => onFilter(EVERYTHING)}>Clear</button>}
        </div>
      )}
    </div>
  );
}
