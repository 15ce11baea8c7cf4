/** The client, for the components below. */
import { createContext, createElement, useContext, type FunctionComponent, type ReactNode } from "react";
import type { SynoviaClient } from "../client.js";

const Context = createContext<SynoviaClient | null>(null);

/** Give the components below a client. Make it once, outside of rendering; it is not closed with the components. */
export const SynoviaProvider: FunctionComponent<{ client: SynoviaClient; children?: ReactNode }> = ({ client, children }) =>
  createElement(Context.Provider, { value: client }, children);

/** Give the client of the SynoviaProvider above. */
export function useSynovia(): SynoviaClient {
  const client = useContext(Context);
  if (!client) throw new Error("there is no SynoviaProvider above this component");
  return client;
}
