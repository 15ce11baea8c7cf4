/** Reads protocol/vectors, as their README says. */
import { readFileSync } from "node:fs";
import { ListEdit, MapEdit } from "../../src/protocol/edits.js";
import { ArrayRef, put, type Dtype, type ValueMap } from "../../src/protocol/values.js";

export type Case = Record<string, any> & { name: string };

const FOLDER = new URL("../../../../protocol/vectors/", import.meta.url);

/** Give the lists of cases of one file. */
export function vectors(file: string): Record<string, Case[]> {
  return JSON.parse(readFileSync(new URL(`${file}.json`, FOLDER), "utf8"));
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

type Part = string | { repeat: string; times: number } | { ramp: number; seed: number };

/** Join the parts of long bytes. */
export function joined(parts: readonly Part[]): Uint8Array {
  const all = parts.map(bytesOf);
  const result = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of all) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function bytesOf(part: Part): Uint8Array {
  if (typeof part === "string") return fromHex(part);
  if ("repeat" in part) return fromHex(part.repeat.repeat(part.times));
  return Uint8Array.from({ length: part.ramp }, (_, index) => part.seed + 31 * index + Math.floor(index / 256));
}

/** The floats whose bits JavaScript cannot keep or tells apart: NaNs with a payload, and integral ones. */
export function bitsAreLost(tagged: unknown): boolean {
  if (Array.isArray(tagged)) return tagged.some(bitsAreLost);
  if (typeof tagged !== "object" || tagged === null) return false;
  const { float } = tagged as { float?: string };
  if (float === undefined) return Object.values(tagged).some(bitsAreLost);
  const value = floatOf(float);
  if (Number.isNaN(value)) return float !== "7ff8000000000000";
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function floatOf(bits: string): number {
  return new DataView(fromHex(bits).buffer).getFloat64(0);
}

/** Make the value that is written with tags. */
export function untagged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untagged);
  if (typeof value !== "object" || value === null) return value;
  const [[tag, inner]] = Object.entries(value) as [[string, never]];
  const make = MAKERS[tag];
  return make ? make(inner) : message(value as ValueMap);
}

const MAKERS: Record<string, (inner: never) => unknown> = {
  int: (inner: string) => integer(inner),
  float: (inner: string) => floatOf(inner),
  bytes: (inner: string) => fromHex(inner),
  map: (inner: [string, unknown][]) => mapOf(inner),
  time: (inner: string) => new Date(Number(inner)),
  array: ({ digest, dtype, shape }: { digest: string; dtype: Dtype; shape: string[] }) =>
    new ArrayRef(fromHex(digest), dtype, shape.map(Number)),
  mapEdit: ({ edits, removed }: { edits: [string, unknown][]; removed: string[] }) => new MapEdit(mapOf(edits), removed),
  listEdit: ({ runs, edits }: { runs: unknown[]; edits: [string, unknown][] }) =>
    new ListEdit(
      runs.map((run) => (typeof run === "string" ? Number(run) : untagged(run))),
      edits.flatMap(([index, change]) => [Number(index), untagged(change)]),
    ),
};

function integer(text: string): number | bigint {
  return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
}

function mapOf(pairs: [string, unknown][]): ValueMap {
  const map: ValueMap = {};
  for (const [key, item] of pairs) put(map, key, untagged(item));
  return map;
}

const TIMESTAMPS = new Set(["newestTs", "fromTs", "toTs", "ts"]);

function message({ is, ...fields }: ValueMap): ValueMap {
  const made: ValueMap = is === "ErrorInfo" ? {} : { type: is };
  for (const [name, field] of Object.entries(fields)) {
    const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = untagged(field);
    made[camel] = TIMESTAMPS.has(camel) && value !== null ? BigInt(value as number) : value;
  }
  return made;
}
