/** Save a recording as a file. */
import type { ArrayRef, SynoviaClient } from "synovia-client";
import type { Recording } from "../api/api.ts";
import { bearerToken } from "../session/session.ts";
import { fileNameOf, tableOf } from "./table.ts";

/** How long the browser may take to begin saving. */
const KEPT_MS = 60_000;

/** Save an OpenSim file, as the server writes it. */
export async function exportMotion(recording: Recording): Promise<void> {
  const response = await fetch(`export/${recording._id}`, { headers: { authorization: `Bearer ${bearerToken() ?? ""}` } });
  if (!response.ok) throw new Error("the server could not write the file; please try again later");
  save(await response.blob(), `${fileNameOf(recording)}.mot`);
}

/** Save a table of all samples. */
export async function exportTable(client: SynoviaClient, recording: Recording): Promise<void> {
  const samples = async (ref: ArrayRef | undefined): Promise<Float64Array | null> => (ref ? ((await client.array(ref)) as Float64Array) : null);
  const [left, right] = await Promise.all([samples(recording.leftKnee), samples(recording.rightKnee)]);
  const parts = tableOf(recording.sampleRate, left, right);
  save(new Blob(parts, { type: "text/csv" }), `${fileNameOf(recording)}.csv`);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
