/** Where one is: the part of the address behind the `#`, which no server sees. */
import { useSyncExternalStore } from "react";

/** The parts of the path, and what is asked of the page: `#/data/notes?order=desc`. */
export interface Route {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

let known: { hash: string; route: Route } | undefined;

export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function linkTo(parts: readonly string[], query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const asked = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${asked ? `?${asked}` : ""}`;
}

export function go(parts: readonly string[], query: Record<string, string | undefined> = {}): void {
  location.hash = linkTo(parts, query);
}

/** Go there without a new entry in the history: back leads to where one was before. */
export function goInstead(parts: readonly string[], query: Record<string, string | undefined> = {}): void {
  history.replaceState(null, "", linkTo(parts, query));
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
