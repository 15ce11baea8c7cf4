/** Save a recording as a file. */
import type { SynoviaClient } from "synovia-client";
import type { Recording } from "../api/api.ts";
import { titleOf } from "./naming.ts";

export type FileKind = "mot" | "csv";

const ROWS_A_PART = 20_000;

/** Fetch every sample and hand the file to the browser. */
export async function exported(client: SynoviaClient, recording: Recording, kind: FileKind): Promise<void> {
  const [left, right] = await Promise.all([client.array(recording.leftKnee), client.array(recording.rightKnee)]);
  const parts = fileOf(kind, titleOf(recording), recording.sampleRate, left as Float64Array, right as Float64Array);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "text/plain" }));
  link.download = `${nameOf(recording)}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function nameOf(recording: Recording): string {
  const title = titleOf(recording).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
  return `${new Date(recording.startTime).toISOString().slice(0, 10)}-${title || "recording"}`;
}

/** Write a file, in parts. Numbers are in their shortest exact form, so that it reads back bit for bit. */
export function fileOf(kind: FileKind, title: string, rate: number, left: Float64Array, right: Float64Array): string[] {
  const parts = [kind === "mot" ? motionHead(title, rate, left.length) : "time,left_knee,right_knee\n"];
  const separator = kind === "mot" ? "\t" : ",";
  for (let start = 0; start < left.length; start += ROWS_A_PART) {
    const rows = Math.min(ROWS_A_PART, left.length - start);
    parts.push(Array.from({ length: rows }, (_, row) => [(start + row) / rate, exact(left[start + row]!), exact(right[start + row]!)].join(separator) + "\n").join(""));
  }
  return parts;
}

function exact(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function motionHead(title: string, rate: number, rows: number): string {
  const name = title.replace(/\s+/g, " ");
  return `${name}\nversion=1\nnRows=${rows}\nnColumns=3\ninDegrees=yes\nsampleRate=${rate}\nendheader\ntime\tknee_angle_l\tknee_angle_r\n`;
}
