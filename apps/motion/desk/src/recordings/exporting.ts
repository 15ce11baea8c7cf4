/** Save a recording as a file. */
import type { SynoviaClient } from "synovia-client";
import type { Recording } from "../api/api.ts";
import { bearerToken } from "../app/session.ts";
import { titleOf } from "./naming.ts";

const ROWS_A_PART = 20_000;
/** How long the browser may take to begin saving. */
const KEPT_MS = 60_000;

/** Save an OpenSim file, as the server writes it. */
export async function exportMotion(recording: Recording): Promise<void> {
  const response = await fetch(`/export/${recording._id}`, { headers: { authorization: `Bearer ${bearerToken() ?? ""}` } });
  if (!response.ok) throw new Error("the server could not write the file; please try again later");
  save(await response.blob(), `${fileNameOf(recording)}.mot`);
}

/** Save a table of all samples. */
export async function exportTable(client: SynoviaClient, recording: Recording): Promise<void> {
  const [left, right] = await Promise.all([client.array(recording.leftKnee), client.array(recording.rightKnee)]);
  const parts = tableOf(recording.sampleRate, left as Float64Array, right as Float64Array);
  save(new Blob(parts, { type: "text/csv" }), `${fileNameOf(recording)}.csv`);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** The day and the title, of letters that every file system takes. */
export function fileNameOf(recording: Pick<Recording, "startTime" | "notes" | "exerciseType">): string {
  const title = titleOf(recording).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
  return `${new Date(recording.startTime).toISOString().slice(0, 10)}-${title || "recording"}`;
}

/** Write a table, in parts. Numbers are in their shortest exact form, so that it reads back bit for bit. */
export function tableOf(rate: number, left: Float64Array, right: Float64Array): string[] {
  const parts = ["time,left_knee,right_knee\n"];
  for (let start = 0; start < left.length; start += ROWS_A_PART) {
    const length = Math.min(ROWS_A_PART, left.length - start);
    const row = (index: number): string => `${index / rate},${exact(left[index]!)},${exact(right[index]!)}\n`;
    parts.push(Array.from({ length }, (_, index) => row(start + index)).join(""));
  }
  return parts;
}

function exact(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
