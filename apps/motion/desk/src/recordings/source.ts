/** Where the recordings of a page come from. */
import { usePaginatedQuery, useQuery } from "synovia-client/react";
import { api, type Recording } from "../api/api.ts";

export interface Source {
  /** undefined while they are loading. */
  readonly recordings: readonly Recording[] | undefined;
  /** Read more of them, if there are more. */
  readonly more: (() => void) | null;
}

const PAGE_SIZE = 50;
const MOST = 200;
const LISTS: Readonly<Record<string, typeof api.recordings.listOfMe>> = {
  "of-me": api.recordings.listOfMe,
  shared: api.recordings.listShared,
  archive: api.recordings.listArchived,
};

export function useSource(place: string): Source {
  const list = LISTS[place];
  const listed = useQuery(list ?? api.recordings.listOfMe, list ? { limit: MOST } : "skip");
  const mine = usePaginatedQuery(api.recordings.pageMine, list ? "skip" : {}, { pageSize: PAGE_SIZE });
  if (list) return { recordings: listed, more: null };
  const recordings = mine.status === "LoadingFirstPage" ? undefined : mine.results;
  return { recordings, more: mine.status === "CanLoadMore" ? () => mine.loadMore() : null };
}
