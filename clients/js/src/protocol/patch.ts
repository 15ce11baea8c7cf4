/** Applying patches. */
import { isPatch, ListEdit, MapEdit } from "./edits.js";
import { PatchError } from "./errors.js";
import { isMap, put, type ValueMap } from "./values.js";

/**
 * Apply a patch: give the new value, which shares with `old` what did not change; `old` stays as it is.
 * PatchError: the patch does not fit.
 */
export function apply(old: unknown, patch: unknown): unknown {
  if (patch instanceof MapEdit) return applyToMap(old, patch);
  if (patch instanceof ListEdit) return applyToList(old, patch);
  return patch;
}

function applyToMap(old: unknown, patch: MapEdit): unknown {
  if (!isMap(old)) throw new PatchError("a map edit of what is no map");
  const result: ValueMap = { ...old };
  for (const key of patch.removed) {
    if (!Object.hasOwn(result, key) || Object.hasOwn(patch.edits, key)) {
      throw new PatchError(`the key ${key} cannot be removed`);
    }
    delete result[key];
  }
  for (const key of Object.keys(patch.edits)) put(result, key, changed(result, key, patch.edits[key]));
  return result;
}

function changed(map: ValueMap, key: string, change: unknown): unknown {
  if (!isPatch(change)) return change;
  if (!Object.hasOwn(map, key)) throw new PatchError(`the key ${key} is edited but not there`);
  return apply(map[key], change);
}

function applyToList(old: unknown, patch: ListEdit): unknown {
  if (!Array.isArray(old)) throw new PatchError("a list edit of what is no list");
  const result = patch.runs.length ? rebuild(old, patch.runs) : old.slice();
  for (let at = 0; at < patch.edits.length; at += 2) {
    const index = patch.edits[at] as number;
    if (index >= result.length) throw new PatchError(`element ${index} of ${result.length} is edited`);
    result[index] = apply(result[index], patch.edits[at + 1]);
  }
  return result;
}

/** Join the runs. Together they take no more than the old list holds, so that a small patch stays a small list. */
function rebuild(old: readonly unknown[], runs: readonly unknown[]): unknown[] {
  const result: unknown[] = [];
  let left = old.length;
  for (let at = 0; at < runs.length; at++) {
    const run = runs[at];
    if (Array.isArray(run)) {
      for (const item of run) result.push(item);
      continue;
    }
    const [start, length] = [run as number, runs[++at] as number];
    left -= length;
    if (left < 0 || start + length > old.length) {
      throw new PatchError(`a run of ${length} from ${start} in a list of ${old.length}`);
    }
    for (let index = start; index < start + length; index++) result.push(old[index]);
  }
  return result;
}
