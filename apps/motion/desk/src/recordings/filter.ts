/** Which recordings of a list are shown. */
import type { Recording } from "../api/api.ts";
import { subjectOf, titleOf, type People } from "./naming.ts";

export interface Filter {
  readonly text: string;
  readonly tags: readonly string[];
  /** The name of who was measured. */
  readonly subject: string | null;
}

export const EVERYTHING: Filter = { text: "", tags: [], subject: null };

export const isFiltering = ({ text, tags, subject }: Filter): boolean => text.trim() !== "" || tags.length > 0 || subject !== null;

/** Make small and without accents, so that "Muller" finds "Müller". */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

/** Keep those that have every word of the text somewhere, every tag, and the subject. */
export function filtered(recordings: readonly Recording[], filter: Filter, people: People): readonly Recording[] {
  if (!isFiltering(filter)) return recordings;
  const words = plain(filter.text).split(/\s+/).filter(Boolean);
  return recordings.filter((recording) => {
    if (filter.subject !== null && subjectOf(people, recording) !== filter.subject) return false;
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

/** The names of who was measured, in alphabetical order. */
export function subjectsOf(recordings: readonly Recording[], people: People): string[] {
  const names = new Set(recordings.map((recording) => subjectOf(people, recording)));
  return [...names].sort((one, other) => one.localeCompare(other));
}
