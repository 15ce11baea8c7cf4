/** Shared documents in components. */
import { useEffect, useState } from "react";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { SynoviaError } from "../errors.js";
import { useSynovia } from "../react/context.js";
import { keyOf } from "../react/use-query.js";
import { SharedDocProvider, type SharedDocOptions } from "./provider.js";

/** A shared document, as a component sees it. */
export interface SharedDocState {
  /** The document, another one for other arguments; null before the component is there. */
  readonly doc: Y.Doc | null;
  /** What editors take as their provider. */
  readonly provider: SharedDocProvider | null;
  readonly awareness: Awareness | null;
  /** Whether it is what the server has, but for changes that are on their way. */
  readonly synced: boolean;
  /** Whether everything that was typed here is kept by the server. */
  readonly saved: boolean;
  readonly error: SynoviaError | null;
}

const NONE: SharedDocState = { doc: null, provider: null, awareness: null, synced: false, saved: true, error: null };

/** Have a shared document open while the component is there; options of `"skip"`: none. */
export function useSharedDoc(options: Omit<SharedDocOptions, "awareness" | "connect"> | "skip"): SharedDocState {
  const client = useSynovia();
  const [state, setState] = useState(NONE);
  const key = options === "skip" ? null : keyOf([options.query, options.mutation, options.presence].join(), options.args ?? {});
  useEffect(() => {
    if (options === "skip") return setState(NONE);
    const doc = new Y.Doc();
    const provider = new SharedDocProvider(client, doc, options);
    const look = (): void => {
      const { awareness, synced, saved, error } = provider;
      setState({ doc, provider, awareness, synced, saved, error });
    };
    provider.on("sync", look);
    provider.on("saved", look);
    provider.on("error", look);
    look();
    return () => {
      provider.destroy();
      doc.destroy();
    };
  }, [client, key]);
  return state;
}
