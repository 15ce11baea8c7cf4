/** What recordings and people are called. */
import type { ContactView, Id, Recording, UserView } from "../api/api.ts";

export interface People {
  readonly me: UserView;
  readonly byId: ReadonlyMap<Id, ContactView>;
}

export const shownName = ({ alias, name }: Pick<ContactView, "alias" | "name">): string => alias || name;

/** The name of a person, as far as one knows them. */
export function nameOf(people: People, id: Id): string {
  if (id === people.me._id) return "Me";
  const contact = people.byId.get(id);
  return contact ? shownName(contact) : "Somebody else";
}

/** Who was measured. */
export function subjectOf(people: People, { subjectId, subjectAlias }: Pick<Recording, "subjectId" | "subjectAlias">): string {
  return subjectId === undefined ? subjectAlias || "Unnamed" : nameOf(people, subjectId);
}

/** What a recording goes by: the first line of its notes, else what was done. */
export function titleOf({ notes, exerciseType }: Pick<Recording, "notes" | "exerciseType">): string {
  const line = notes?.split("\n").find((text) => text.trim())?.trim();
  return line || (exerciseType ? exerciseType.charAt(0).toUpperCase() + exerciseType.slice(1) : "Untitled recording");
}
