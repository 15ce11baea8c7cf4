/** Arrays: digests over chunks, and frames of raw little-endian elements. */
import { ProtocolError } from "./errors.js";
import type { ArrayFrame } from "./messages.js";
import { sha256 } from "./sha256.js";
import type { Limits } from "./unpack.js";
import { sameBytes, type Dtype } from "./values.js";

export const CHUNK_BYTES = 262_144;
export const HEADER_BYTES = 56;
/** The first byte of an array frame, which msgpack never uses. */
export const MARK = 0xc1;
const FRAME_VERSION = 1;

/** What one can be viewed as; booleans are bytes of 0 and 1. */
export type TypedArray =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

type Constructor = { new (buffer: ArrayBuffer, offset: number, length: number): TypedArray; readonly BYTES_PER_ELEMENT: number };

const CONSTRUCTORS: Record<Dtype, Constructor> = {
  float64: Float64Array,
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};
/** In the order of their codes, which count from 1. */
export const DTYPES = Object.keys(CONSTRUCTORS) as readonly Dtype[];

/** Give the bytes of one element. */
export function itemBytes(dtype: Dtype): number {
  return CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

/** Tell the dtype of a typed array; undefined for `Uint8Array`, which is bytes, and for what is none. */
export function dtypeOf(array: unknown): Dtype | undefined {
  return DTYPES.find((dtype) => CONSTRUCTORS[dtype] !== Uint8Array && array instanceof (CONSTRUCTORS[dtype] as never));
}

/** View bytes as elements; copies only what does not lie as the processor needs it. */
export function viewAs(data: Uint8Array, dtype: Dtype): TypedArray {
  const constructor = CONSTRUCTORS[dtype];
  const item = constructor.BYTES_PER_ELEMENT;
  const aligned = data.byteOffset % item ? data.slice() : data;
  return new constructor(aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(data.length / item));
}

/** Give the digest of an array: of the code of its dtype, then the digests of its chunks, in order. */
export function arrayDigest(dtype: Dtype, chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(1 + chunks.length * 32);
  all[0] = DTYPES.indexOf(dtype) + 1;
  chunks.forEach((chunk, index) => all.set(chunk, 1 + index * 32));
  return sha256(all);
}

/** Cut an array's bytes into chunks, without copying. */
export function* chunksOf(raw: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < raw.length; start += CHUNK_BYTES) yield raw.subarray(start, start + CHUNK_BYTES);
}

/** Tell an array frame from a message. */
export function isArrayFrame(frame: Uint8Array): boolean {
  return frame[0] === MARK;
}

/** Encode an array frame. */
export function encodeFrame(frame: ArrayFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + frame.data.length);
  const view = new DataView(bytes.buffer);
  bytes.set([MARK, FRAME_VERSION, DTYPES.indexOf(frame.dtype) + 1]);
  view.setUint32(4, frame.stream, true);
  bytes.set(frame.digest, 8);
  view.setBigUint64(40, BigInt(frame.position), true);
  view.setBigUint64(48, BigInt(frame.length), true);
  bytes.set(frame.data, HEADER_BYTES);
  return bytes;
}

/** Decode an array frame; its data is a view of `frame`. ProtocolError `bad_array_frame`. */
export function decodeFrame(frame: Uint8Array): ArrayFrame {
  if (frame.length < HEADER_BYTES) throw bad(`${frame.length} bytes are shorter than the header`);
  if (frame[1] !== FRAME_VERSION || frame[3]) throw bad("not an array frame of version 1");
  const dtype = DTYPES[frame[2]! - 1];
  if (!dtype) throw bad(`unknown dtype code ${frame[2]}`);
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  const [position, length] = [Number(view.getBigUint64(40, true)), Number(view.getBigUint64(48, true))];
  const data = frame.subarray(HEADER_BYTES);
  checkExtent(data.length, itemBytes(dtype), position, length);
  if (dtype === "bool" && data.some((byte) => byte > 1)) throw bad("a boolean is neither 0 nor 1");
  return { type: "ArrayFrame", stream: view.getUint32(4, true), dtype, digest: frame.slice(8, 40), position, length, data };
}

function checkExtent(size: number, item: number, position: number, length: number): void {
  if (size % item) throw bad(`${size} bytes are not a whole number of elements`);
  if (position + size / item > length) throw bad(`${size / item} elements from ${position} in an array of ${length}`);
  if (!size && length) throw bad("no elements");
}

function bad(message: string): ProtocolError {
  return new ProtocolError("bad_array_frame", message);
}

/** Puts the frames that answer one FetchArray together. */
export class DownloadReceiver {
  /** The elements received so far: a view of the frame when there was only one, else of one buffer. */
  data: Uint8Array = new Uint8Array(0);
  readonly dtype: Dtype;
  readonly length: number;
  position = 0;
  #buffer: Uint8Array | undefined;

  constructor(
    readonly digest: Uint8Array,
    dtype: string,
    readonly shape: readonly number[],
    limits: Limits,
  ) {
    if (!DTYPES.includes(dtype as Dtype)) throw bad(`unknown dtype ${dtype}`);
    this.dtype = dtype as Dtype;
    this.length = shape.reduce((product, axis) => product * axis, 1);
    if (!(this.length * itemBytes(this.dtype) <= limits.maxArrayBytes)) {
      throw new ProtocolError("too_large", `an answer of ${this.length} elements`);
    }
  }

  get complete(): boolean {
    return this.position === this.length;
  }

  /** Take the next frame. ProtocolError `array_misordered`, `array_digest_mismatch` or `bad_array_frame`. */
  receive(frame: ArrayFrame): void {
    if (!sameBytes(frame.digest, this.digest)) {
      throw new ProtocolError("array_digest_mismatch", "a frame of another array");
    }
    if (frame.dtype !== this.dtype || frame.length !== this.length) {
      throw bad("dtype or length is not that of the response");
    }
    if (frame.position !== this.position || this.complete) {
      throw new ProtocolError("array_misordered", `position ${frame.position}, not ${this.position}`);
    }
    this.#store(frame.data);
    this.position += frame.data.length / itemBytes(this.dtype);
  }

  #store(data: Uint8Array): void {
    const item = itemBytes(this.dtype);
    if (data.length === this.length * item) {
      this.data = data;
      return;
    }
    this.#buffer ??= allocate(this.length * item);
    const start = this.position * item;
    this.#buffer.set(data, start);
    this.data = this.#buffer.subarray(0, start + data.length);
  }
}

function allocate(size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch {
    throw new ProtocolError("too_large", `no memory for ${size} bytes`);
  }
}
