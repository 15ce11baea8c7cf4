/** What the browser knows of the network and the page. */
import type { Unsubscribe } from "./callbacks.js";

/** Call a function when the network is there again, or the page is looked at again; elsewhere than in a browser: never. */
export function onReturn(callback: () => void): Unsubscribe {
  const page = globalThis.document;
  const shown = (): void => void (page.visibilityState === "visible" && callback());
  globalThis.addEventListener?.("online", callback);
  page?.addEventListener("visibilitychange", shown);
  return () => {
    globalThis.removeEventListener?.("online", callback);
    page?.removeEventListener("visibilitychange", shown);
  };
}
