/** The rows of a table, page by page: each page is live, and only those near what is looked at are asked for. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useQueries } from "synovia-client/react";
import { useIsSeen } from "../browser/live.ts";
import { PATHS, type Condition, type DocumentPage, type DocumentRow } from "../api/hub.ts";

const SIZE = 100;
/** So many pages stay live; those further up are forgotten, and asked for again when one comes back. */
const MOST_LIVE = 8;
const NONE = {};
const NO_NOTES: readonly string[] = [];

export interface Asked {
  readonly table: string;
  /** By which they are in order; null: by which the fewest have to be looked at. */
  readonly index: string | null;
  readonly descending: boolean;
  readonly where: readonly Condition[];
}

export interface RowsShown {
  readonly rows: readonly DocumentRow[];
  readonly isLoading: boolean;
  readonly isEnd: boolean;
  readonly index: string | undefined;
  readonly examined: number;
  /** What is odd about the conditions, in words. */
  readonly notes: readonly string[];
  readonly error: Error | null;
  readonly more: () => void;
}

/** Join the rows of pages; the same list as long as the pages are. */
function useJoined(pages: readonly (DocumentPage | undefined)[]): readonly DocumentRow[] {
  const known = useRef<{ pages: readonly (DocumentPage | undefined)[]; rows: readonly DocumentRow[] }>({ pages: [], rows: [] });
  if (pages.length !== known.current.pages.length || pages.some((page, place) => page !== known.current.pages[place])) {
    known.current = { pages, rows: pages.flatMap((page) => page?.rows ?? []) };
  }
  return known.current.rows;
}

export function useRows(asked: Asked): RowsShown {
  const key = JSON.stringify(asked);
  const [state, setState] = useState<{ key: string; cursors: readonly (string | null)[] }>({ key, cursors: [null] });
  const cursors = state.key === key ? state.cursors : [null];
  const first = Math.max(0, cursors.length - MOST_LIVE);
  const [kept, setKept] = useState<{ key: string; pages: readonly DocumentPage[] }>({ key, pages: [] });

  const requests = useMemo(
    () =>
      Object.fromEntries(
        cursors.slice(first).map((cursor, place) => [String(first + place), { path: PATHS.rows, args: { ...asked, cursor, limit: SIZE } }]),
      ),
    [key, cursors, first],
  );
  const isSeen = useIsSeen();
  const results = useQueries(isSeen ? requests : NONE) as Record<string, DocumentPage | Error | undefined>;
  const old = kept.key === key ? kept.pages : [];
  const pages = cursors.map((_, place): DocumentPage | undefined => {
    const result = results[String(place)];
    return result instanceof Error ? undefined : (result ?? old[place]);
  });
  const last = pages.at(-1);
  const error = Object.values(results).find((result) => result instanceof Error) ?? null;

  useEffect(() => {
    const there = pages.filter((page) => page !== undefined);
    if (there.some((page, place) => page !== old[place])) setKept({ key, pages: there });
  });

  // Where a page ends may move when rows come and go: the pages behind it are asked for from there.
  useEffect(() => {
    const place = cursors.findIndex((cursor, at) => at > 0 && pages[at - 1] && pages[at - 1]!.nextCursor !== cursor);
    if (place > 0) setState({ key, cursors: cursors.slice(0, place) });
  });

  const next = last?.nextCursor;
  const more = useCallback(() => {
    if (next) setState({ key, cursors: [...cursors, next] });
  }, [next, key, cursors]);

  const rows = useJoined(pages);
  const examined = pages.reduce((sum, page) => sum + (page?.examined ?? 0), 0);
  return { rows, isLoading: !last && !error, isEnd: last !== undefined && !next, examined, index: pages[0]?.index, notes: pages[0]?.notes ?? NO_NOTES, error, more };
}
