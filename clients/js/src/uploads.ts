/** Arrays on their way to the server: found in the arguments, replaced by references, cut into frames. */
import { callSafely } from "./callbacks.js";
import { arrayDigest, CHUNK_BYTES, chunksOf, dtypeOf, encodeFrame, itemBytes } from "./protocol/arrays.js";
import { WireValueError } from "./protocol/errors.js";
import { sha256 } from "./protocol/sha256.js";
import { ArrayRef, isMap, put, type Dtype, type ValueMap } from "./protocol/values.js";

/** Called with (bytes transferred, bytes in total). */
export type Progress = (done: number, total: number) => void;

/** An array to upload that says more than a typed array does: its axes, or a dtype of its own. */
export class NdArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];

  /**
   * @param data The elements, row-major.
   * @param shape The length of each axis; by default one axis.
   * @param dtype Needed for `uint8` and `bool`, whose elements are in a `Uint8Array` (bytes, otherwise).
   */
  constructor(
    readonly data: ArrayBufferView & { readonly length: number },
    shape: readonly number[] = [data.length],
    dtype = data instanceof Uint8Array ? "uint8" : dtypeOf(data),
  ) {
    if (!dtype) throw new TypeError("arrays of these elements cannot travel");
    const length = shape.reduce((product, axis) => product * axis, 1);
    if (length !== data.length || data.byteLength !== length * itemBytes(dtype)) {
      throw new RangeError(`${data.length} elements do not make an array of shape [${shape}]`);
    }
    this.dtype = dtype;
    this.shape = shape;
  }
}

/** An array with its reference. */
export interface Named {
  readonly ref: ArrayRef;
  readonly raw: Uint8Array;
}

/** Arguments with their arrays taken out. */
export interface Prepared {
  readonly args: ValueMap;
  readonly arrays: readonly Named[];
}

/** Arrays found in arguments, each once, with a copy of their bytes: what is sent must be what was hashed. */
export type Found = Map<object, { readonly array: NdArray; readonly raw: Uint8Array }>;

/** Find the arrays in arguments. */
export function arraysIn(value: unknown, found: Found = new Map()): Found {
  if (isArray(value)) {
    if (!found.has(value)) found.set(value, copied(value));
  } else if (Array.isArray(value)) {
    for (const item of value) arraysIn(item, found);
  } else if (isMap(value)) {
    for (const item of Object.values(value)) arraysIn(item, found);
  }
  return found;
}

function isArray(value: unknown): value is NdArray | ArrayBufferView {
  return value instanceof NdArray || dtypeOf(value) !== undefined;
}

function copied(value: NdArray | ArrayBufferView): { array: NdArray; raw: Uint8Array } {
  const array = value instanceof NdArray ? value : new NdArray(value as NdArray["data"]);
  const { buffer, byteOffset, byteLength } = array.data;
  const raw = new Uint8Array(buffer, byteOffset, byteLength).slice();
  if (array.dtype === "bool" && raw.some((byte) => byte > 1)) throw new WireValueError("a boolean is neither 0 nor 1");
  return { array, raw };
}

/** Replace the arrays in arguments by references. */
export async function prepare(args: ValueMap, found: Found): Promise<Prepared> {
  const refs = new Map<object, ArrayRef>();
  const arrays = new Map<string, Named>();
  for (const [key, { array, raw }] of found) {
    const ref = new ArrayRef(await digestOf(array.dtype, raw), array.dtype, array.shape);
    refs.set(key, ref);
    arrays.set(ref.key, { ref, raw });
  }
  return { args: replaced(args, refs) as ValueMap, arrays: [...arrays.values()] };
}

/** So many chunks are handed to WebCrypto at a time, which has several threads, and a copy of each. */
const AT_ONCE = 8;

async function digestOf(dtype: Dtype, raw: Uint8Array): Promise<Uint8Array> {
  const chunks = [...chunksOf(raw)];
  const digests: Uint8Array[] = [];
  for (let at = 0; at < chunks.length; at += AT_ONCE) {
    digests.push(...(await Promise.all(chunks.slice(at, at + AT_ONCE).map(chunkDigest))));
  }
  return arrayDigest(dtype, digests);
}

/** WebCrypto hashes on other threads, but is only there in secure contexts; without it, others get a turn after each chunk. */
async function chunkDigest(chunk: Uint8Array): Promise<Uint8Array> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return new Uint8Array(await subtle.digest("SHA-256", chunk as Uint8Array<ArrayBuffer>));
  await new Promise((resolve) => setTimeout(resolve));
  return sha256(chunk);
}

function replaced(value: unknown, refs: ReadonlyMap<unknown, ArrayRef>): unknown {
  const ref = refs.get(value);
  if (ref) return ref;
  if (Array.isArray(value)) return value.map((item) => replaced(item, refs));
  if (!isMap(value)) return value;
  const map: ValueMap = {};
  for (const [key, item] of Object.entries(value)) put(map, key, replaced(item, refs));
  return map;
}

/** The arrays of one request as frames, in order; it starts over on the next connection. */
export class Upload {
  #array = 0;
  #position = 0;
  #sent = 0;
  readonly #total: number;

  /**
   * @param onProgress Called after each frame.
   * @param alive Called when there was progress.
   */
  constructor(
    readonly arrays: readonly Named[],
    readonly onProgress?: Progress,
    readonly alive?: () => void,
  ) {
    this.#total = arrays.reduce((sum, { raw }) => sum + raw.length, 0);
  }

  /** Begin with the first frame again: the connection that had some of them is gone. */
  restart(): void {
    this.#array = this.#position = this.#sent = 0;
  }

  /** Whether every frame has been taken. */
  get done(): boolean {
    return this.#array === this.arrays.length;
  }

  /** Whether an array is half sent: the server would take a new beginning of it for a misordered frame. */
  get amidArray(): boolean {
    return this.#position > 0;
  }

  /** Take the next frame. */
  take(): Uint8Array<ArrayBuffer> {
    const { ref, raw } = this.arrays[this.#array]!;
    const data = raw.subarray(this.#position, this.#position + CHUNK_BYTES);
    const item = itemBytes(ref.dtype);
    const [position, length] = [this.#position / item, raw.length / item];
    this.#position += data.length;
    if (this.#position === raw.length) {
      this.#array += 1;
      this.#position = 0;
    }
    this.#count(data.length);
    return encodeFrame({ type: "ArrayFrame", stream: 0, dtype: ref.dtype, digest: ref.digest, position, length, data });
  }

  #count(size: number): void {
    this.#sent += size;
    this.alive?.();
    callSafely(this.onProgress, this.#sent, this.#total);
  }
}
