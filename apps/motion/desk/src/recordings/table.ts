/** A recording as a table of numbers, and what its files are called. */
import type { Recording } from "../api/api.ts";
import { titleOf } from "./naming.ts";

const ROWS_A_PART = 20_000;

/** The day and the title, of letters that every file system takes. */
export function fileNameOf(recording: Pick<Recording, "startTime" | "notes" | "exerciseType">): string {
  const title = titleOf(recording).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
  return `${new Date(recording.startTime).toISOString().slice(0, 10)}-${title || "recording"}`;
}

/** Write a table of the knees that were measured, in parts. Numbers are in their shortest exact form, so that it reads back bit for bit. */
export function tableOf(rate: number, left: Float64Array | null, right: Float64Array | null): string[] {
  const knees = [left, right].filter((knee) => knee !== null);
  const count = knees[0]?.length ?? 0;
  const parts = [["time", ...(left ? ["left_knee_deg"] : []), ...(right ? ["right_knee_deg"] : [])].join(",") + "\n"];
  for (let start = 0; start < count; start += ROWS_A_PART) {
    const length = Math.min(ROWS_A_PART, count - start);
    const row = (index: number): string => [index / rate, ...knees.map((knee) => exact(knee[index]!))].join(",") + "\n";
    parts.push(Array.from({ length }, (_, index) => row(start + index)).join(""));
  }
  return parts;
}

function exact(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
