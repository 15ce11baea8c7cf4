import { createContext, useContext } from "react";
import { mayChange, type Session } from "./session.ts";

export const SessionContext = createContext<Session | null>(null);

/** Whether whoever looks may change something. */
export function useMayChange(): boolean {
  const session = useContext(SessionContext);
  return session !== null && mayChange(session);
}
