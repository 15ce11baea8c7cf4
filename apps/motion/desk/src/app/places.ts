/** The places of the desk, who has them, and the keys that lead there. */
import type { Role } from "../people/roles.ts";
import type { IconName } from "../ui/icons.tsx";

export interface Place {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
  readonly group: string;
  readonly roles: readonly Role[];
}

const KEEPERS: readonly Role[] = ["physiotherapist", "patient"];
const ADMINS: readonly Role[] = ["admin"];

const PLACES: readonly Place[] = [
  { path: "recordings", label: "Recordings", icon: "activity", key: "r", group: "Recordings", roles: KEEPERS },
  { path: "of-me", label: "Recordings of me", icon: "person", key: "m", group: "Recordings", roles: KEEPERS },
  { path: "shared", label: "Shared with me", icon: "share", key: "s", group: "Recordings", roles: KEEPERS },
  { path: "archive", label: "Archive", icon: "archive", key: "a", group: "Recordings", roles: KEEPERS },
  { path: "live", label: "Live", icon: "live", key: "l", group: "Measure", roles: KEEPERS },
  { path: "contacts", label: "Contacts", icon: "contacts", key: "c", group: "People", roles: KEEPERS },
  { path: "invites", label: "Invitations", icon: "mail", key: "i", group: "People", roles: KEEPERS },
  { path: "users", label: "Users", icon: "contacts", key: "u", group: "Administration", roles: ADMINS },
  { path: "statistics", label: "Statistics", icon: "statistics", key: "t", group: "Administration", roles: ADMINS },
  { path: "permissions", label: "Permissions", icon: "shield", key: "p", group: "Administration", roles: ADMINS },
  { path: "audit", label: "Audit log", icon: "eye", key: "o", group: "Administration", roles: ADMINS },
];

export function placesOf(role: Role): readonly Place[] {
  return PLACES.filter(({ roles }) => roles.includes(role));
}

/** Where somebody begins: a patient with the recordings of themselves. */
export function homeOf(role: Role): string {
  return { physiotherapist: "recordings", patient: "of-me", admin: "users" }[role];
}
