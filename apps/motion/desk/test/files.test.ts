import { expect, test } from "vitest";
import { fileNameOf, tableOf } from "../src/recordings/table.ts";

test("a table reads back bit for bit", () => {
  const left = Float64Array.of(0.1, -0, 1e-300, Infinity);
  const right = Float64Array.of(NaN, 2 / 3, -70.00000000000001, 5);
  const [head, ...rows] = tableOf(100, left, right).join("").trimEnd().split("\n");
  expect(head).toBe("time,left_knee_deg,right_knee_deg");
  const parsed = rows.map((row) => row.split(",").map((text) => (text === "inf" ? Infinity : text === "nan" ? NaN : Number(text))));
  expect(parsed.map(([time]) => time)).toEqual([0, 0.01, 0.02, 0.03]);
  expect(Float64Array.from(parsed, ([, value]) => value!)).toEqual(left);
  expect(Float64Array.from(parsed, ([, , value]) => value!)).toEqual(right);
});

test("a table of one leg has its column alone", () => {
  const knee = Float64Array.of(1.5, NaN);
  expect(tableOf(50, null, knee).join("")).toBe("time,right_knee_deg\n0,1.5\n0.02,nan\n");
  expect(tableOf(50, knee, null).join("")).toBe("time,left_knee_deg\n0,1.5\n0.02,nan\n");
});

test("a long table comes in parts, without a gap between them", () => {
  const samples = Float64Array.from({ length: 45_000 }, (_, index) => index);
  const parts = tableOf(100, samples, samples);
  expect(parts).toHaveLength(1 + 3);
  const times = parts.slice(1).join("").trimEnd().split("\n").map((row) => Number(row.split(",")[1]));
  expect(times).toEqual([...samples]);
});

test("a file is named by its day and title, in letters that file systems take", () => {
  const startTime = Date.UTC(2026, 2, 1, 12);
  expect(fileNameOf({ startTime, notes: "Week 6: stairs/../etc\nmore" })).toBe("2026-03-01-Week-6-stairs-etc");
  expect(fileNameOf({ startTime, notes: "***" })).toBe("2026-03-01-recording");
});
