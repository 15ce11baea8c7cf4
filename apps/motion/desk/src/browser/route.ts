/** Where one is: the part of the address behind the `#`, which no server sees. */
import { useSyncExternalStore } from "react";

/** The parts of the path: `#/recordings/65f0` is `["recordings", "65f0"]`. */
export type Route = readonly string[];

let known: { hash: string; route: Route } | undefined;

export function routeOf(hash: string): Route {
  return hash.replace(/^#?\/?/, "").split("/").filter(Boolean).map(decoded);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function linkTo(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function go(...parts: string[]): void {
  location.hash = linkTo(...parts);
}

/** Go there without a new entry in the history: back leads to where one was before. */
export function goInstead(...parts: string[]): void {
  history.replaceState(null, "", linkTo(...parts));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function listen(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

function current(): Route {
  const { hash } = location;
  if (known?.hash !== hash) known = { hash, route: routeOf(hash) };
  return known.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(listen, current);
}
