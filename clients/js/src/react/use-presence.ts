/** Who is here, in components. */
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { FunctionError } from "../errors.js";
import type { Member, Presence } from "../presence.js";
import type { ArgsOf, ResultOf } from "../references.js";
import { useSynovia } from "./context.js";
import { keyOf, useStore } from "./use-query.js";

/** A room, as a component sees it. */
export interface PresenceResult<Who, State> {
  /** Everybody but this client. */
  readonly others: readonly Member<Who, State>[];
  /** This client as the others see it; null before it is there. */
  readonly me: Member<Who, State> | null;
  /** Show the others another state; the same function as long as the room is. */
  readonly update: (state: State) => void;
  /** Whether that is so at present; while the connection is gone, it is what was known last. */
  readonly current: boolean;
  /** Why this client is not in the room. */
  readonly error: FunctionError | null;
}

const idle = { listen: () => () => undefined, get: () => null };

/**
 * Be in the room of a query while the component is there, showing `state`, and see who else is; arguments of `"skip"`: be nowhere.
 * Each change of `state` is shown too; what changes often, as a pointer, is better given to `update`.
 */
export function usePresence<F extends string, State = unknown>(
  path: F,
  args: ArgsOf<F> | "skip",
  state?: State,
): PresenceResult<ResultOf<F>, State> {
  const client = useSynovia();
  const key = keyOf(path, args);
  const shown = useRef(state);
  shown.current = state;
  const room = useMemo(
    () => (key === null ? null : client.presence<F, State>(path, args as ArgsOf<F>, shown.current)),
    [client, key],
  );
  const store = useMemo(() => (room ? { listen: (changed: () => void) => room.listen(changed), get: () => room.view } : idle), [room]);
  const view = useStore<Presence<ResultOf<F>, State>["view"] | null>(store);
  const given = keyOf("", { state: state ?? null });
  useEffect(() => {
    if (room && shown.current !== undefined) room.update(shown.current);
  }, [room, given]);
  const update = useCallback((state: State) => room?.update(state), [room]);
  return useMemo(() => {
    const members = view?.members ?? [];
    return {
      others: members.filter((member) => !member.isMe),
      me: members.find((member) => member.isMe) ?? null,
      update,
      current: view?.current ?? false,
      error: view?.error ?? null,
    };
  }, [view, update]);
}
