/** Lists that are read page by page, in components. */
import { useMemo } from "react";
import type { ArgsOf, ResultOf } from "../references.js";
import { useSynovia } from "./context.js";
import { Pages, type PagesShown, type PageStatus } from "./pages.js";
import { keyOf, useStore, type Store } from "./use-query.js";

/** How pages are asked for. */
export interface PageOptions {
  /** Items of a page when it is first read. */
  readonly pageSize: number;
  /** The argument of the query that says so; `limit` by default. The other one is `cursor`. */
  readonly sizeName?: string;
}

/** The pages read so far, joined. */
export interface PaginatedResult<T> {
  readonly results: readonly T[];
  readonly status: PageStatus;
  readonly isLoading: boolean;
  /** Read another page, of another size if given; nothing happens unless the status is `CanLoadMore`. */
  readonly loadMore: (size?: number) => void;
}

type PageArgs<F> = Omit<ArgsOf<F>, "cursor" | "limit">;
type ItemOf<F> = ResultOf<F> extends { items: readonly (infer Item)[] } ? Item : any;

const NONE: PagesShown = { results: [], status: "LoadingFirstPage", error: null };
const SKIPPED: Store<PagesShown> & Pick<Pages, "loadMore"> = { listen: () => () => undefined, get: () => NONE, loadMore: () => undefined };

/**
 * Keep a list up to date page by page: every page is live, and pages neither overlap nor leave a gap when rows come and go.
 * The query takes `cursor` and `limit` and gives a `Page`. Throws the FunctionError when it fails.
 */
export function usePaginatedQuery<F extends string>(path: F, args: PageArgs<F> | "skip", options: PageOptions): PaginatedResult<ItemOf<F>> {
  const client = useSynovia();
  const { pageSize, sizeName = "limit" } = options;
  const key = keyOf(path, args);
  const pages = useMemo(
    () => (key === null ? SKIPPED : new Pages(client, path, args as object, pageSize, sizeName)),
    [client, key, pageSize, sizeName],
  );
  const shown = useStore(pages);
  if (shown.error) throw shown.error;
  return useMemo(() => {
    const { results, status } = shown;
    const isLoading = status === "LoadingFirstPage" || status === "LoadingMore";
    return { results: results as readonly ItemOf<F>[], status, isLoading, loadMore: pages.loadMore };
  }, [shown, pages]);
}
