import { ArrayRef, type OptimisticStore } from "synovia-client";
import { expect, test } from "vitest";
import { api, type Recording } from "../src/api/api.ts";
import { shared, unshared, updated } from "../src/recordings/edits.ts";

const knee = new ArrayRef(new Uint8Array(32), "float64", [1]);
const [ID, OTHER] = ["1", "2"] as Recording["_id"][];
const [BEN, MIA] = ["b", "m"] as Recording["ownerId"][];

function recording(id: Recording["_id"], part: Partial<Recording> = {}): Recording {
  const base = { ownerId: BEN!, startTime: 0, endTime: 0, sampleRate: 100, sampleCount: 1, durationMs: 0, leftKnee: knee, rightKnee: knee, createdAt: 0 };
  return { _id: id, ...base, ...part };
}

/** A store of results by path, each subscribed to with one set of arguments. */
function storeOf(results: Record<string, { args: object; value: unknown }>): OptimisticStore {
  return {
    getQuery: (path) => results[path]?.value as never,
    setQuery: (path, _, value) => void (results[path] = { ...results[path]!, value }),
    getAllQueries: (path) => (results[path] ? [results[path]] : []) as never,
  };
}

function shownIn(...recordings: Recording[]): Record<string, { args: object; value: unknown }> {
  return {
    [api.recordings.listOfMe]: { args: {}, value: recordings },
    [api.recordings.pageMine]: { args: {}, value: { items: recordings, nextCursor: "next" } },
    [api.recordings.get]: { args: {}, value: recordings[0] },
  };
}

test("an edit shows wherever the recording does, and nowhere else", () => {
  const other = recording(OTHER!, { notes: "as it was" });
  const results = shownIn(recording(ID!, { notes: "before", tags: ["gait"] }), other);
  updated(storeOf(results), { recordingId: ID!, notes: "after" });
  const edited = recording(ID!, { notes: "after", tags: ["gait"] });
  expect(results[api.recordings.listOfMe]!.value).toEqual([edited, other]);
  expect(results[api.recordings.pageMine]!.value).toEqual({ items: [edited, other], nextCursor: "next" });
  expect(results[api.recordings.get]!.value).toEqual(edited);
  expect((results[api.recordings.listOfMe]!.value as Recording[])[1]).toBe(other);
});

test("an empty text or list takes the field away, as the server does", () => {
  const results = shownIn(recording(ID!, { notes: "before", tags: ["gait"], exerciseType: "walking" }));
  updated(storeOf(results), { recordingId: ID!, notes: "", tags: [] });
  expect(results[api.recordings.get]!.value).toEqual(recording(ID!, { exerciseType: "walking" }));
});

test("another subject takes the place of the one before", () => {
  const results = shownIn(recording(ID!, { subjectAlias: "Guest" }));
  const store = storeOf(results);
  updated(store, { recordingId: ID!, subjectId: MIA!, subjectAlias: "" });
  expect(results[api.recordings.get]!.value).toEqual(recording(ID!, { subjectId: MIA! }));
  updated(store, { recordingId: ID!, subjectId: "", subjectAlias: "" });
  expect(results[api.recordings.get]!.value).toEqual(recording(ID!));
});

test("sharing adds somebody once; the last one to go takes the field away", () => {
  const results = shownIn(recording(ID!, { sharedWith: [BEN!] }));
  const store = storeOf(results);
  const sharedWith = (): unknown => (results[api.recordings.get]!.value as Recording).sharedWith;
  shared(store, { recordingId: ID!, userId: MIA! });
  shared(store, { recordingId: ID!, userId: MIA! });
  expect(sharedWith()).toEqual([BEN, MIA]);
  unshared(store, { recordingId: ID!, userId: BEN! });
  expect(sharedWith()).toEqual([MIA]);
  unshared(store, { recordingId: ID!, userId: MIA! });
  expect(results[api.recordings.get]!.value).toEqual(recording(ID!));
});
