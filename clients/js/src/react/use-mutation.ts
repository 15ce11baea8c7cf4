/** Mutations and actions in components. */
import { useMemo } from "react";
import type { MutationOptions, RequestOptions, SynoviaClient } from "../client.js";
import type { OptimisticCallback } from "../optimistic.js";
import type { ArgsOf, Rest, ResultOf } from "../references.js";
import { useSynovia } from "./context.js";

/** Calls a mutation. The same function as long as path and client are. */
export interface MutationCaller<F extends string> {
  (...rest: Rest<"mutation", F, MutationOptions<ArgsOf<F>>>): Promise<ResultOf<F>>;
  /** Give a caller that shows what is expected at once; the same one for the same callback. */
  withOptimisticUpdate(update: OptimisticCallback<ArgsOf<F>>): MutationCaller<F>;
}

/** Calls an action. The same function as long as path and client are. */
export type ActionCaller<F extends string> = (...rest: Rest<"action", F, RequestOptions>) => Promise<ResultOf<F>>;

/** Give a function that calls a mutation. */
export function useMutation<F extends string>(path: F): MutationCaller<F> {
  const client = useSynovia();
  return useMemo(() => callerOf(client, path), [client, path]);
}

function callerOf<F extends string>(client: SynoviaClient, path: F, update?: OptimisticCallback<ArgsOf<F>>): MutationCaller<F> {
  const known = new WeakMap<OptimisticCallback<ArgsOf<F>>, MutationCaller<F>>();
  const call = (args?: unknown, options?: object): Promise<ResultOf<F>> => {
    const all = update ? { optimisticUpdate: update, ...options } : options;
    return client.mutation<F>(path, ...([args, all] as never));
  };
  const withOptimisticUpdate = (update: OptimisticCallback<ArgsOf<F>>): MutationCaller<F> => {
    const caller = known.get(update) ?? callerOf(client, path, update);
    known.set(update, caller);
    return caller;
  };
  return Object.assign(call as never as MutationCaller<F>, { withOptimisticUpdate });
}

/** Give a function that calls an action. */
export function useAction<F extends string>(path: F): ActionCaller<F> {
  const client = useSynovia();
  return useMemo(() => ((...rest) => client.action<F>(path, ...rest)) as ActionCaller<F>, [client, path]);
}
