/** Structural sharing: what did not change keeps its identity, so that whoever shows it need not look again. */
import { ArrayRef, isMap, put, sameBytes, type ValueMap } from "./values.js";

const KEY = "_id";

/**
 * Give a value equal to `fresh` that is made of parts of `old` as far as they are equal; `old` itself if all is.
 * Elements of lists of documents are matched by `_id`, others by their place.
 */
export function share(old: unknown, fresh: unknown): unknown {
  if (Object.is(old, fresh)) return old;
  if (Array.isArray(old) && Array.isArray(fresh)) return shareLists(old, fresh);
  if (isMap(old) && isMap(fresh)) return shareMaps(old, fresh);
  return equalLeaves(old, fresh) ? old : fresh;
}

function shareLists(old: readonly unknown[], fresh: readonly unknown[]): unknown {
  const byKey = new Map<string, unknown>();
  for (const item of old) byKey.set(keyOf(item), item);
  let same = old.length === fresh.length;
  const result = fresh.map((item, index) => {
    const key = keyOf(item);
    const before = keyOf(old[index]) === key ? old[index] : key && byKey.get(key);
    const shared = share(before, item);
    same &&= Object.is(shared, old[index]);
    return shared;
  });
  return same ? old : result;
}

/** Give the id of a document, empty if it is none. */
function keyOf(item: unknown): string {
  const key = isMap(item) ? item[KEY] : "";
  return typeof key === "string" ? key : "";
}

function shareMaps(old: ValueMap, fresh: ValueMap): unknown {
  const keys = Object.keys(fresh);
  let same = keys.length === Object.keys(old).length;
  const result: ValueMap = {};
  for (const key of keys) {
    const known = Object.hasOwn(old, key);
    const shared = known ? share(old[key], fresh[key]) : fresh[key];
    same &&= known && Object.is(shared, old[key]);
    put(result, key, shared);
  }
  return same ? old : result;
}

function equalLeaves(old: unknown, fresh: unknown): boolean {
  if (old instanceof Date && fresh instanceof Date) return old.getTime() === fresh.getTime();
  if (old instanceof Uint8Array && fresh instanceof Uint8Array) return sameBytes(old, fresh);
  if (!(old instanceof ArrayRef && fresh instanceof ArrayRef)) return false;
  return old.key === fresh.key && old.dtype === fresh.dtype && String(old.shape) === String(fresh.shape);
}
