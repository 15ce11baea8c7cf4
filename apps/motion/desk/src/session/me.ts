/** The one who is signed in, for the components of the desk. */
import { createContext, useContext } from "react";
import type { UserView } from "../api/api.ts";

export const MeContext = createContext<UserView | null>(null);

export function useMe(): UserView {
  const me = useContext(MeContext);
  if (!me) throw new Error("nobody is signed in here");
  return me;
}
