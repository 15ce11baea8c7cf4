import { useMemo } from "react";
import { useQueryResult } from "synovia-client/react";
import { api, type ContactView } from "../api/api.ts";
import { useMe } from "../session/me.ts";
import type { People } from "./naming.ts";

const NOBODY: readonly ContactView[] = [];

/** One's contacts; none while they are loading. */
function useContacts(): readonly ContactView[] {
  return useQueryResult(api.contacts.listMine, {}).value ?? NOBODY;
}

/** Whom names can be found for. */
export function usePeople(): People {
  const me = useMe();
  const contacts = useContacts();
  return useMemo(() => ({ me, byId: new Map(contacts.map((contact) => [contact.userId, contact])) }), [me, contacts]);
}
