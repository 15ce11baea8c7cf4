import type { UserView } from "../api/api.ts";

export type Role = UserView["role"];

export const ROLE_NAMES: Readonly<Record<Role, string>> = { physiotherapist: "Physiotherapist", patient: "Patient", admin: "Administrator" };
