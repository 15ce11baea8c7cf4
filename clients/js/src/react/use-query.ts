/** Live queries in components. */
import { useMemo, useSyncExternalStore } from "react";
import type { Unsubscribe } from "../callbacks.js";
import type { SynoviaClient } from "../client.js";
import type { SynoviaError } from "../errors.js";
import type { ValueMap } from "../protocol/values.js";
import { NOTHING, queryKey, type Outcome } from "../queries.js";
import type { ArgsOf, Rest, ResultOf } from "../references.js";
import { useSynovia } from "./context.js";

/** The arguments of a query hook: those of the query, or `"skip"` for not asking it now. */
export type HookArgs<F> =
  Rest<"query", F, never> extends [args?: ArgsOf<F>, options?: never]
    ? Record<never, never> extends ArgsOf<F>
      ? [args?: ArgsOf<F> | "skip"]
      : [args: ArgsOf<F> | "skip"]
    : Rest<"query", F, never>;

/** A query's outcome, without exceptions. */
export interface QueryResult<T> {
  /** The newest result; undefined while it is loading. When the query fails, the last one before. */
  readonly value: T | undefined;
  readonly error: SynoviaError | null;
  readonly isLoading: boolean;
}

/** Something that React can watch. */
export interface Store<T> {
  readonly listen: (changed: () => void) => Unsubscribe;
  readonly get: () => T;
}

export function useStore<T>({ listen, get }: Store<T>): T {
  return useSyncExternalStore(listen, get, get);
}

const idle = (): Unsubscribe => () => undefined;
const SKIPPED: Store<Outcome> = { listen: idle, get: () => NOTHING };

/** Give what makes two uses of a query the same; null for a skipped one. */
export function keyOf(path: string, args: unknown): string | null {
  return args === "skip" ? null : queryKey(path, (args ?? {}) as ValueMap);
}

/** Make the store of a query. */
export function storeOf(client: SynoviaClient, path: string, args: unknown): Store<Outcome> {
  const watch = client.watch(path, args as never);
  return { listen: (changed) => watch.listen(changed), get: () => watch.current };
}

function useOutcome(path: string, args: unknown): Outcome {
  const client = useSynovia();
  const key = keyOf(path, args);
  const store = useMemo(() => (key === null ? SKIPPED : storeOf(client, path, args)), [client, key]);
  return useStore(store);
}

/**
 * Keep a query up to date: its newest result, undefined while it is loading or when the arguments are `"skip"`. What did
 * not change is the same object as before. Throws the FunctionError when the query fails, for an error boundary.
 */
export function useQuery<F extends string>(path: F, ...[args]: HookArgs<F>): ResultOf<F> | undefined {
  const { value, error } = useOutcome(path, args);
  if (error) throw error;
  return value as ResultOf<F> | undefined;
}

/** As `useQuery`, with the error as a value. */
export function useQueryResult<F extends string>(path: F, ...[args]: HookArgs<F>): QueryResult<ResultOf<F>> {
  const outcome = useOutcome(path, args);
  return useMemo(() => resultOf<ResultOf<F>>(outcome, args === "skip"), [outcome, args === "skip"]);
}

function resultOf<T>({ value, error }: Outcome, skipped: boolean): QueryResult<T> {
  return { value: value as T | undefined, error, isLoading: !skipped && value === undefined && !error };
}

/** One of several queries. */
export interface QueryRequest {
  readonly path: string;
  readonly args?: object;
}

/**
 * Keep any number of queries up to date, which need not be the same ones each time: by name the newest result, undefined
 * while it is loading, or the error.
 */
export function useQueries<N extends string>(queries: Readonly<Record<N, QueryRequest | "skip">>): Record<N, unknown> {
  const client = useSynovia();
  const keys = Object.entries<QueryRequest | "skip">(queries).map(([name, query]) => [name, query === "skip" ? null : keyOf(query.path, query.args)]);
  const store = useMemo(() => joined(client, queries), [client, JSON.stringify(keys)]);
  return useStore(store);
}

function joined<N extends string>(client: SynoviaClient, queries: Readonly<Record<N, QueryRequest | "skip">>): Store<Record<N, unknown>> {
  const stores = Object.entries<QueryRequest | "skip">(queries).map(
    ([name, query]) => [name, query === "skip" ? SKIPPED : storeOf(client, query.path, query.args ?? {})] as const,
  );
  let known: readonly Outcome[] = [];
  let values = {} as Record<N, unknown>;
  return {
    listen(changed) {
      const stops = stores.map(([, store]) => store.listen(changed));
      return () => stops.forEach((stop) => stop());
    },
    get() {
      const outcomes = stores.map(([, store]) => store.get());
      if (outcomes.length !== known.length || outcomes.some((outcome, index) => outcome !== known[index])) {
        known = outcomes;
        values = Object.fromEntries(stores.map(([name], index) => [name, outcomes[index]!.error ?? outcomes[index]!.value])) as Record<N, unknown>;
      }
      return values;
    },
  };
}
