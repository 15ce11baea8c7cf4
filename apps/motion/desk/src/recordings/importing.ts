/** Files on their way to the server, which reads them and saves a recording of each. */
import { useSyncExternalStore } from "react";
import { bearerToken } from "../session/session.ts";
import { go } from "../browser/route.ts";
import { refusal } from "./refusal.ts";

export interface Import {
  readonly id: number;
  readonly name: string;
  /** From 0 to 1; 1 while the server reads the file. */
  readonly progress: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  /** What is wrong with the file, in the server's words with its line. */
  readonly problem?: string;
  readonly recordingId?: string;
}

export const ACCEPTED = [".mot", ".sto", ".csv", ".tsv"];
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
}

/** Send files one after the other; the recording of a single one is opened. */
export async function importFiles(files: readonly File[], about: About = {}): Promise<void> {
  const entries = files.map((file) => ({ file, id: next++ }));
  show([...shown, ...entries.map(({ file, id }): Import => ({ id, name: file.name, progress: 0, state: "waiting" }))]);
  for (const { file, id } of entries) {
    const recordingId = await importOne(file, id, about);
    if (recordingId && files.length === 1) go("recordings", recordingId);
  }
}

async function importOne(file: File, id: number, about: About): Promise<string | null> {
  try {
    checkFile(file);
    change(id, { state: "sending" });
    const recordingId = await send(file, queryOf(file, about), (progress) => change(id, { progress }));
    change(id, { state: "done", progress: 1, recordingId });
    setTimeout(() => dismissImport(id), DONE_SHOWN_MS);
    return recordingId;
  } catch (error) {
    change(id, { state: "failed", problem: (error as Error).message });
    return null;
  }
}

function checkFile({ name, size }: File): void {
  if (!ACCEPTED.some((ending) => name.toLowerCase().endsWith(ending))) throw new Error(`Files that can be read end in ${ACCEPTED.join(", ")}.`);
  if (size === 0) throw new Error("The file is empty.");
  if (size > MOST_BYTES) throw new Error("The file is larger than 256 MB.");
}

// fetch cannot tell how much has been sent
function send(file: File, query: URLSearchParams, onProgress: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/import?${query}`);
    request.setRequestHeader("authorization", `Bearer ${bearerToken() ?? ""}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status < 300 && answer.recordingId) resolve(answer.recordingId);
      else reject(new Error(refusal(request.status, answer.error?.message)));
    };
    request.onerror = () => reject(new Error("The connection broke. Nothing was saved; try again."));
    request.send(file);
  });
}

/** A file does not say when it was measured, so as on the command line the recording ended when the file was written. */
function queryOf({ name, lastModified }: File, { tags = [], ...about }: About): URLSearchParams {
  const query = new URLSearchParams({ name, notes: name.replace(/\.\w+$/, ""), endTime: String(lastModified), ...about });
  for (const tag of tags) query.append("tag", tag);
  return query;
}

interface Answer {
  readonly recordingId?: string;
  readonly error?: { readonly message: string };
}

function parsed(text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return {};
  }
}
