/** Live queries in components that suspend. */
import { useMemo } from "react";
import type { SynoviaClient } from "../client.js";
import type { Outcome } from "../queries.js";
import type { ResultOf } from "../references.js";
import { useSynovia } from "./context.js";
import { keyOf, storeOf, useStore, type HookArgs, type Store } from "./use-query.js";

/** How long a query is held for a component that has not been shown yet, once its result is there. */
const PATIENCE = 5_000;
const waiting = new WeakMap<SynoviaClient, Map<string, Promise<void>>>();

/** As `useQuery`, but suspends while the query is loading, so that there is always a result. */
export function useSuspenseQuery<F extends string>(path: F, ...[args]: HookArgs<F>): ResultOf<F> {
  const client = useSynovia();
  const key = keyOf(path, args) ?? "";
  const store = useMemo(() => storeOf(client, path, args), [client, key]);
  const { value, error } = useStore(store);
  if (error) throw error;
  if (value === undefined) throw firstOutcome(client, key, store);
  return value as ResultOf<F>;
}

/** A component that suspends is thrown away and cannot listen, so the query is held for it here. */
function firstOutcome(client: SynoviaClient, key: string, store: Store<Outcome>): Promise<void> {
  const byKey = waiting.get(client) ?? new Map<string, Promise<void>>();
  waiting.set(client, byKey);
  const known = byKey.get(key);
  if (known) return known;
  const promise = new Promise<void>((resolve) => {
    const stop = store.listen(() => {
      resolve();
      byKey.delete(key);
      setTimeout(stop, PATIENCE);
    });
  });
  byKey.set(key, promise);
  return promise;
}
