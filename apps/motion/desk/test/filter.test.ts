import { ArrayRef } from "synovia-client";
import { expect, test } from "vitest";
import type { ContactView, Recording, UserView } from "../src/api/api.ts";
import { EVERYTHING, filtered, isFiltering, subjectKey, subjectsOf, tagsOf } from "../src/recordings/filter.ts";
import { titleOf, type People } from "../src/recordings/naming.ts";

type UserId = UserView["_id"];

const [ANNA, BEN] = ["a", "b"] as UserId[];
const me: UserView = { _id: ANNA!, email: "anna@example.org", name: "Anna", role: "physiotherapist", createdAt: 0 };
const ben: ContactView = { userId: BEN!, name: "Benjamin Müller", email: "ben@example.org", role: "patient", addedAt: 0 };
const people: People = { me, byId: new Map([[BEN!, ben]]) };
const knee = new ArrayRef(new Uint8Array(32), "float64", [1]);

function recording(id: string, part: Partial<Recording>): Recording {
  const base = { ownerId: ANNA!, startTime: 0, endTime: 0, sampleRate: 100, sampleCount: 1, durationMs: 0, leftKnee: knee, rightKnee: knee, createdAt: 0 };
  return { _id: id as Recording["_id"], ...base, ...part };
}

const recordings = [
  recording("1", { subjectId: BEN!, notes: "Week 6\nno pain", tags: ["gait", "post-op"] }),
  recording("2", { subjectAlias: "Guest", exerciseType: "stairs", tags: ["gait"] }),
  recording("3", { subjectId: ANNA! }),
];
const ids = (filter: Partial<typeof EVERYTHING>): string[] => filtered(recordings, { ...EVERYTHING, ...filter }, people).map(({ _id }) => _id);

test("every word has to be somewhere, without regard to case and accents", () => {
  expect(ids({ text: "PAIN week" })).toEqual(["1"]);
  expect(ids({ text: "muller" })).toEqual(["1"]);
  expect(ids({ text: "stairs guest" })).toEqual(["2"]);
  expect(ids({ text: "pain guest" })).toEqual([]);
});

test("every tag and the subject have to be there", () => {
  expect(ids({ tags: ["gait"] })).toEqual(["1", "2"]);
  expect(ids({ tags: ["gait", "post-op"] })).toEqual(["1"]);
  expect(ids({ subject: ANNA! })).toEqual(["3"]);
  expect(ids({ subject: subjectKey(recordings[1]!), tags: ["post-op"] })).toEqual([]);
});

test("nothing asked for is everything, and the same list", () => {
  expect(isFiltering({ ...EVERYTHING, text: "  " })).toBe(false);
  expect(filtered(recordings, EVERYTHING, people)).toBe(recordings);
});

test("tags come by use, subjects by name", () => {
  expect(tagsOf(recordings)).toEqual(["gait", "post-op"]);
  expect(subjectsOf(recordings, people)).toEqual([[BEN, "Benjamin Müller"], ["name:Guest", "Guest"], [ANNA, "Me"]]);
  expect(subjectsOf([], people, BEN)).toEqual([[BEN, "Benjamin Müller"]]);
});

test("a recording goes by the first line of its notes, else by its exercise", () => {
  expect(recordings.map(titleOf)).toEqual(["Week 6", "Stairs", "Untitled recording"]);
  expect(titleOf({ notes: "\n  \n second " })).toBe("second");
});
