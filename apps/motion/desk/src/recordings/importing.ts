/** Files on their way to the server, which reads them and saves a recording of each. */
import { useSyncExternalStore } from "react";
import { bearerToken } from "../session/session.ts";
import { go } from "../browser/route.ts";
import type { Reading } from "./reading-fields.tsx";
import { Refusal, refusalOf } from "./refusal.ts";

export interface Import {
  readonly id: number;
  readonly file: File;
  readonly about: About;
  /** From 0 to 1; 1 while the server reads the file. */
  readonly progress: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  /** Why the file was not taken, and what may be said so that it is. */
  readonly refusal?: Refusal;
  /** What the server has assumed or left out. */
  readonly warnings?: readonly string[];
  readonly recordingId?: string;
}

export const ACCEPTED = [".mot", ".sto", ".csv", ".tsv", ".txt", ".xlsx", ".c3d", ".mvnx"];
const MOST_BYTES = 256 * 2 ** 20;
const DONE_SHOWN_MS = 6_000;

/** Asks for the dialog that chooses files. */
export const SHOW_IMPORT = "desk:import";

export function showImport(): void {
  dispatchEvent(new Event(SHOW_IMPORT));
}

let shown: readonly Import[] = [];
let next = 0;
const listeners = new Set<() => void>();

function show(changed: readonly Import[]): void {
  shown = changed;
  for (const listener of listeners) listener();
}

function change(id: number, part: Partial<Import>): void {
  show(shown.map((one) => (one.id === id ? { ...one, ...part } : one)));
}

export const dismissImport = (id: number): void => show(shown.filter((one) => one.id !== id));

export function useImports(): readonly Import[] {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, () => shown);
}

/** What the files of an import have in common. */
export interface About {
  readonly subjectId?: string;
  readonly subjectAlias?: string;
  readonly exerciseType?: string;
  readonly tags?: readonly string[];
  /** What the files do not tell of themselves. */
  readonly reading?: Reading;
}

/** Send files one after the other; the recording of a single one is opened. */
export async function importFiles(files: readonly File[], about: About = {}): Promise<void> {
  const entries = files.map((file): Import => ({ id: next++, file, about, progress: 0, state: "waiting" }));
  show([...entries, ...shown]); // the newest above, where they are seen
  for (const entry of entries) {
    const recordingId = await importOne(entry);
    if (recordingId && files.length === 1) go("recordings", recordingId);
  }
}

/** Send a refused file again, and say how to read it. */
export async function importAgain({ id, file, about }: Import, reading: Reading): Promise<void> {
  const told = { ...about, reading: { ...about.reading, ...reading } };
  change(id, { about: told, progress: 0 });
  const recordingId = await importOne({ id, file, about: told });
  if (recordingId) go("recordings", recordingId);
}

async function importOne({ id, file, about }: Pick<Import, "id" | "file" | "about">): Promise<string | null> {
  try {
    checkFile(file);
    change(id, { state: "sending" });
    const { recordingId, warnings = [] } = await send(file, queryOf(file, about), (progress) => change(id, { progress }));
    change(id, { state: "done", progress: 1, recordingId, warnings });
    if (warnings.length === 0) setTimeout(() => dismissImport(id), DONE_SHOWN_MS);
    return recordingId;
  } catch (error) {
    change(id, { state: "failed", refusal: error instanceof Refusal ? error : new Refusal((error as Error).message) });
    return null;
  }
}

function checkFile({ size }: File): void {
  if (size === 0) throw new Refusal("The file is empty.");
  if (size > MOST_BYTES) throw new Refusal("The file is larger than 256 MB.");
}

interface Saved {
  readonly recordingId: string;
  readonly warnings?: readonly string[];
}

// fetch cannot tell how much has been sent
function send(file: File, query: URLSearchParams, onProgress: (part: number) => void): Promise<Saved> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `import?${query}`);
    request.setRequestHeader("authorization", `Bearer ${bearerToken() ?? ""}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status < 300 && "recordingId" in answer) resolve(answer as Saved);
      else reject(refusalOf(request.status, answer));
    };
    request.onerror = () => reject(new Refusal("The connection broke. Nothing was saved; try again."));
    request.send(file);
  });
}

/** A file does not say when it was measured, so as on the command line the recording ended when the file was written. */
function queryOf({ name, lastModified }: File, { tags = [], reading = {}, ...about }: About): URLSearchParams {
  const query = new URLSearchParams({ name, notes: name.replace(/\.\w+$/, ""), endTime: String(lastModified), ...about, ...reading });
  for (const tag of tags) query.append("tag", tag);
  return query;
}

function parsed(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
