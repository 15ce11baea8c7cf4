/** What a patch is made of; on the wire msgpack extension type 2. */
import { BadFrame, ProtocolError } from "./errors.js";
import { isMap, MAX_DEPTH, type ValueMap } from "./values.js";

/** Set or edit some keys of a map, remove others. */
export class MapEdit {
  /**
   * @param edits The new value, or the patch of the old one, by key.
   * @param removed Keys that are no longer there.
   */
  constructor(
    readonly edits: ValueMap,
    readonly removed: readonly string[] = [],
  ) {}

  /** Give the fields as they travel; trailing empty ones are left out. */
  parts(): unknown[] {
    return this.removed.length ? [this.edits, this.removed] : [this.edits];
  }
}

/** Rebuild a list from runs of the old one and new items, then edit some of its items. */
export class ListEdit {
  /**
   * @param runs In order: two integers (start and length of a run of the old list), or a list of new items. Empty: as it was.
   * @param edits Pairs, flat: an index into the rebuilt list, then the new value or the patch of the one there.
   */
  constructor(
    readonly runs: readonly unknown[] = [],
    readonly edits: readonly unknown[] = [],
  ) {}

  /** Give the fields as they travel; trailing empty ones are left out. */
  parts(): unknown[] {
    return this.edits.length ? [this.runs, this.edits] : [this.runs];
  }
}

export type Patch = MapEdit | ListEdit;

/** Tell a patch from a value that stands for itself. */
export function isPatch(value: unknown): value is Patch {
  return value instanceof MapEdit || value instanceof ListEdit;
}

/** Make a patch from what arrived. */
export function patchOf(parts: unknown): Patch {
  const [first, second = []] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (!Array.isArray(second) || isPatch(first)) throw malformed();
  if (Array.isArray(first)) return listEdit(first, second);
  if (isMap(first) && second.every((key) => typeof key === "string")) return mapEdit(first, second);
  throw malformed();
}

function mapEdit(edits: ValueMap, removed: readonly string[]): MapEdit {
  Object.values(edits).forEach(checkChange);
  return new MapEdit(edits, removed);
}

function listEdit(runs: readonly unknown[], edits: readonly unknown[]): ListEdit {
  for (let at = 0; at < runs.length; at++) {
    const run = runs[at];
    if (Array.isArray(run)) checkPlain(run);
    else if (!isIndex(run) || !isIndex(runs[++at])) throw malformed();
  }
  if (edits.length % 2 || !edits.every((part, at) => at % 2 || isIndex(part))) throw malformed();
  edits.forEach((part, at) => at % 2 && checkChange(part));
  return new ListEdit(runs, edits);
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(): BadFrame {
  return new BadFrame("a patch is neither a map edit nor a list edit");
}

/** Refuse a patch inside a value; one that stands for a change was checked when it was made. */
export function checkChange(change: unknown): void {
  if (!isPatch(change)) checkPlain(change);
}

/** Refuse patches inside a value, where they must not stand, and values that are too deep. */
export function checkPlain(value: unknown, depth = MAX_DEPTH): void {
  if (isPatch(value)) throw new BadFrame("a patch inside a value");
  const items = Array.isArray(value) ? (value as unknown[]) : isMap(value) ? Object.values(value) : null;
  if (!items) return;
  if (depth <= 0) throw new ProtocolError("too_large", "nested too deeply");
  for (const item of items) checkPlain(item, depth - 1);
}
