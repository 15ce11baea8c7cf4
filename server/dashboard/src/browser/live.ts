/** Queries of the hub as long as somebody can see them: nothing is asked by a page that is in the background. */
import { useRef, useSyncExternalStore } from "react";
import { useQueryResult } from "synovia-client/react";

function listen(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}

/** Whether the page can be seen: not in a background tab, nor minimized. */
export function useIsSeen(): boolean {
  return useSyncExternalStore(listen, () => document.visibilityState !== "hidden");
}

export interface Live<T> {
  readonly value: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
}

/** The newest result of a query; in the background, and until there is a new one, what was there last. */
export function useLive<T>(path: string, args: Readonly<Record<string, unknown>> | "skip" = {}): Live<T> {
  const isSeen = useIsSeen();
  const { value, error, isLoading } = useQueryResult(path, isSeen ? args : "skip");
  const key = args === "skip" ? undefined : path + JSON.stringify(args);
  const held = useRef<{ key: string; value: T } | undefined>(undefined);
  if (key !== undefined && value !== undefined) held.current = { key, value: value as T };
  const last = held.current?.key === key || args === "skip" ? held.current?.value : undefined;
  return { value: last, error: error ?? undefined, isLoading: isLoading && last === undefined };
}
