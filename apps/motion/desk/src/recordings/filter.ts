/** Which recordings of a list are shown. */
import type { Id, Recording } from "../api/api.ts";
import { nameOf, subjectOf, titleOf, type People } from "./naming.ts";

export interface Filter {
  readonly text: string;
  readonly tags: readonly string[];
  /** Who was measured, as `subjectKey` has it. */
  readonly subject: string | null;
}

const NAMED = "name:";

export const EVERYTHING: Filter = { text: "", tags: [], subject: null };

export const isFiltering = ({ text, tags, subject }: Filter): boolean => text.trim() !== "" || tags.length > 0 || subject !== null;

/** The id of who was measured, or the name of somebody without an account, which is no id. */
export function subjectKey({ subjectId, subjectAlias = "" }: Pick<Recording, "subjectId" | "subjectAlias">): string {
  return subjectId ?? NAMED + subjectAlias;
}

/** Make small and without accents, so that "Muller" finds "Müller". */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

/** Keep those that have every word of the text somewhere, every tag, and the subject. */
export function filtered(recordings: readonly Recording[], filter: Filter, people: People): readonly Recording[] {
  if (!isFiltering(filter)) return recordings;
  const words = plain(filter.text).split(/\s+/).filter(Boolean);
  return recordings.filter((recording) => {
    if (filter.subject !== null && subjectKey(recording) !== filter.subject) return false;
    if (!filter.tags.every((tag) => recording.tags?.includes(tag))) return false;
    if (!words.length) return true;
    const { notes, exerciseType, tags, archiveReason } = recording;
    const text = plain([titleOf(recording), subjectOf(people, recording), notes, exerciseType, archiveReason, ...(tags ?? [])].join("\n"));
    return words.every((word) => text.includes(word));
  });
}

/** The tags of recordings, the most used first. */
export function tagsOf(recordings: readonly Recording[]): string[] {
  const uses = new Map<string, number>();
  for (const tag of recordings.flatMap(({ tags }) => tags ?? [])) uses.set(tag, (uses.get(tag) ?? 0) + 1);
  return [...uses].sort(([one, often], [other, oftener]) => oftener - often || one.localeCompare(other)).map(([tag]) => tag);
}

/** Who was measured, and what they are called, in alphabetical order; with who is asked for, measured or not. */
export function subjectsOf(recordings: readonly Recording[], people: People, asked: Filter["subject"] = null): [key: string, name: string][] {
  const names = new Map(recordings.map((recording) => [subjectKey(recording), subjectOf(people, recording)]));
  if (asked !== null && !names.has(asked)) names.set(asked, asked.startsWith(NAMED) ? asked.slice(NAMED.length) : nameOf(people, asked as Id));
  return [...names].sort(([, one], [, other]) => one.localeCompare(other));
}
