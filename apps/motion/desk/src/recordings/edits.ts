/** What edits are expected to change, shown before the server has answered. */
import type { ArgsOf, OptimisticStore } from "synovia-client";
import { api, type Recording } from "../api/api.ts";

type RecordingId = Recording["_id"];

const LISTS = [api.recordings.listOfMe, api.recordings.listShared, api.recordings.listArchived] as const;

/** Change one recording wherever it is shown. */
function changeEverywhere(store: OptimisticStore, id: RecordingId, change: (recording: Recording) => Recording): void {
  const inList = (list: readonly Recording[]): Recording[] => list.map((one) => (one._id === id ? change(one) : one));
  for (const path of LISTS) {
    for (const { args, value } of store.getAllQueries(path)) {
      if (value?.some(({ _id }) => _id === id)) store.setQuery(path, args, inList(value));
    }
  }
  for (const { args, value } of store.getAllQueries(api.recordings.pageMine)) {
    if (value?.items.some(({ _id }) => _id === id)) store.setQuery(api.recordings.pageMine, args, { ...value, items: inList(value.items) });
  }
  const open = store.getQuery(api.recordings.get, { recordingId: id });
  if (open) store.setQuery(api.recordings.get, { recordingId: id }, change(open));
}

/** Set a field, or take it away when it says nothing, as the server does. */
function withField<K extends "notes" | "exerciseType" | "tags" | "subjectId" | "subjectAlias">(recording: Recording, name: K, value: Recording[K] | "" | null | undefined): Recording {
  if (value == null) return recording;
  const { [name]: _, ...rest } = recording;
  return (value.length ? { ...rest, [name]: value } : rest) as Recording;
}

export function updated(store: OptimisticStore, args: ArgsOf<typeof api.recordings.update>): void {
  changeEverywhere(store, args.recordingId, (recording) => {
    const noted = withField(recording, "notes", args.notes);
    const tagged = withField(withField(noted, "exerciseType", args.exerciseType), "tags", args.tags && [...args.tags]);
    return withField(withField(tagged, "subjectId", args.subjectId), "subjectAlias", args.subjectAlias);
  });
}

export function shared(store: OptimisticStore, { recordingId, userId }: ArgsOf<typeof api.recordings.share>): void {
  changeEverywhere(store, recordingId, (recording) => ({ ...recording, sharedWith: [...new Set([...(recording.sharedWith ?? []), userId])] }));
}

export function unshared(store: OptimisticStore, { recordingId, userId }: ArgsOf<typeof api.recordings.share>): void {
  changeEverywhere(store, recordingId, ({ sharedWith, ...rest }) => {
    const others = sharedWith?.filter((id) => id !== userId);
    return (others?.length ? { ...rest, sharedWith: others } : rest) as Recording;
  });
}
