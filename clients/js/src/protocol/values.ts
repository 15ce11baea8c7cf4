/** What travels: wire values, and how two of them compare. */

/** The types of array elements; also the names that references carry. */
export type Dtype =
  | "float64"
  | "float32"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/**
 * Something that can travel. Integers from 2^53 on are bigints; below, integers and integral floats are both numbers and
 * travel as integers. `Uint8Array` is bytes, `Date` a timestamp in milliseconds.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | ArrayRef
  | readonly Value[]
  | { readonly [key: string]: Value };

/** How many lists and maps a value may nest, the outermost included. */
export const MAX_DEPTH = 64;

export type ValueMap = Record<string, unknown>;

/** A reference to an array: what documents and messages hold in place of the samples. */
export class ArrayRef {
  /** 32 bytes that name the samples. */
  readonly digest: Uint8Array;
  /** The length of each axis, row-major; `[n]` for a plain series. */
  readonly shape: readonly number[];
  #key: string | undefined;

  constructor(
    digest: Uint8Array,
    readonly dtype: Dtype,
    shape: readonly number[],
  ) {
    this.digest = digest;
    this.shape = shape;
  }

  /** The number of elements. */
  get length(): number {
    return this.shape.reduce((product, axis) => product * axis, 1);
  }

  /** The digest in hexadecimal. */
  get key(): string {
    return (this.#key ??= hex(this.digest));
  }
}

/** Give bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Tell a map from everything else that is an object. */
export function isMap(value: unknown): value is ValueMap {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // not "is Object.prototype": an object of another realm (an iframe's) has another one
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Set a key, whatever it is called: `map["__proto__"] = value` would set something else. */
export function put(map: ValueMap, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    map[key] = value;
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Call a function with every array reference inside a value. */
export function eachRef(value: unknown, found: (ref: ArrayRef) => void): void {
  if (value instanceof ArrayRef) found(value);
  else if (Array.isArray(value)) for (const item of value) eachRef(item, found);
  else if (isMap(value)) for (const item of Object.values(value)) eachRef(item, found);
}
