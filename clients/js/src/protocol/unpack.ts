/** Bytes to wire values, and a refusal of everything that is none. */
import { patchOf, type Patch } from "./edits.js";
import { BadFrame, ProtocolError } from "./errors.js";
import { EXT_ARRAY_REF, EXT_PATCH, EXT_TIMESTAMP } from "./pack.js";
import { ArrayRef, MAX_DEPTH, put, type Dtype, type ValueMap } from "./values.js";

/** How much one frame may hold. */
export interface Limits {
  /** The length of a message frame. */
  readonly maxMessageBytes: number;
  /** The items of all lists and maps in a frame, and these lists and maps once more. */
  readonly maxElements: number;
  /** The samples of one array. */
  readonly maxArrayBytes: number;
}

export const FROM_CLIENT: Limits = { maxMessageBytes: 1 << 20, maxElements: 100_000, maxArrayBytes: 2 ** 32 };
export const FROM_SERVER: Limits = { maxMessageBytes: 64 << 20, maxElements: 16_000_000, maxArrayBytes: 2 ** 32 };

const ENVELOPE = 4; // lists around a value: message, updates, update, patches
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BIG = BigInt(Number.MAX_SAFE_INTEGER);

/** Unpack one wire value. ProtocolError: it is malformed (`bad_frame`) or more than the limits allow (`too_large`). */
export function unpack(bytes: Uint8Array, limits: Limits = FROM_SERVER): unknown {
  return new Reader(bytes, limits, false).whole(MAX_DEPTH);
}

/** Unpack a message: its fields, and whether it holds patches, or such depths, that its values must be looked through. */
export function unpackMessage(bytes: Uint8Array, limits: Limits): [fields: unknown, suspect: boolean] {
  const length = bytes.length;
  if (length > limits.maxMessageBytes) throw tooLarge(`a message of ${length} bytes; ${limits.maxMessageBytes} may be`);
  const reader = new Reader(bytes, limits, true);
  return [reader.whole(MAX_DEPTH + ENVELOPE), reader.suspect];
}

function tooLarge(text: string): ProtocolError {
  return new ProtocolError("too_large", text);
}

class Reader {
  suspect = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #patches: boolean;
  #at = 0;
  #end: number;
  #left: number;

  constructor(bytes: Uint8Array, limits: Limits, patches: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
    this.#left = limits.maxElements;
    this.#patches = patches;
  }

  whole(depth: number): unknown {
    const value = this.#read(depth);
    if (this.#at !== this.#end) throw new BadFrame("bytes after the value");
    return value;
  }

  #read(depth: number): unknown {
    const tag = this.#natural(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 15, depth);
    if (tag < 0xa0) return this.#list(tag & 15, depth);
    if (tag < 0xc0) return this.#string(tag & 31);
    if (tag >= 0xe0) return tag - 0x100;
    return this.#tagged(tag, depth);
  }

  #tagged(tag: number, depth: number): unknown {
    if (tag >= 0xde) return this.#map(this.#natural(2 << (tag & 1)), depth);
    if (tag >= 0xdc) return this.#list(this.#natural(2 << (tag & 1)), depth);
    if (tag >= 0xd9) return this.#string(this.#natural(1 << (tag - 0xd9)));
    if (tag >= 0xd4) return this.#ext(1 << (tag - 0xd4), depth);
    if (tag >= 0xca) return this.#number(tag);
    if (tag >= 0xc7) return this.#ext(this.#natural(1 << (tag - 0xc7)), depth);
    if (tag >= 0xc4) return this.#chunk(this.#natural(1 << (tag - 0xc4))).slice();
    if (tag === 0xc1) throw new BadFrame("the byte 0xC1");
    return tag === 0xc0 ? null : tag === 0xc3;
  }

  // --- numbers

  #number(tag: number): number | bigint {
    const at = this.#at;
    switch (tag) {
      case 0xca: return this.#skip(4), this.#view.getFloat32(at);
      case 0xcb: return this.#skip(8), this.#view.getFloat64(at);
      case 0xcf: return this.#skip(8), int64(this.#view.getBigUint64(at));
      case 0xd0: return this.#skip(1), this.#view.getInt8(at);
      case 0xd1: return this.#skip(2), this.#view.getInt16(at);
      case 0xd2: return this.#skip(4), this.#view.getInt32(at);
      case 0xd3: return this.#skip(8), int64(this.#view.getBigInt64(at));
      default: return this.#natural(1 << (tag - 0xcc));
    }
  }

  #natural(size: number): number {
    const at = this.#at;
    this.#skip(size);
    if (size === 1) return this.#bytes[at]!;
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip(size: number): void {
    this.#at += size;
    if (this.#at > this.#end) throw new BadFrame("cut short");
  }

  // --- bytes

  #chunk(length: number): Uint8Array {
    const at = this.#at;
    this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  #string(length: number): string {
    const chunk = this.#chunk(length);
    if (length < 24) {
      const text = String.fromCharCode.apply(null, chunk as unknown as number[]);
      if (isAscii(chunk)) return text;
    }
    try {
      return utf8.decode(chunk);
    } catch {
      throw new BadFrame("a string is not UTF-8");
    }
  }

  // --- containers

  #list(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    const items: unknown[] = [];
    for (let index = 0; index < length; index++) items.push(this.#read(depth - 1));
    return items;
  }

  #map(length: number, depth: number): ValueMap {
    this.#enter(length, depth);
    const map: ValueMap = {};
    for (let index = 0; index < length; index++) {
      const key = this.#read(0);
      if (typeof key !== "string") throw new BadFrame("a map key is not a string");
      put(map, key, this.#read(depth - 1));
    }
    return map;
  }

  #enter(length: number, depth: number): void {
    if (depth <= 0) throw tooLarge("nested too deeply");
    this.suspect ||= depth <= ENVELOPE;
    this.#left -= length + 1;
    if (this.#left < 0) throw tooLarge("too many elements in one frame");
  }

  // --- extension types

  #ext(length: number, depth: number): unknown {
    const type = this.#natural(1);
    const end = this.#at + length;
    if (end > this.#end) throw new BadFrame("cut short");
    if (type === EXT_PATCH && this.#patches) return this.#patch(end, depth);
    if (type === EXT_ARRAY_REF) return arrayRef(this.#chunk(length));
    if (type === (EXT_TIMESTAMP & 0xff)) return timestamp(this.#chunk(length));
    throw new BadFrame(type === EXT_PATCH ? "a patch outside a transition" : `unknown extension type ${type}`);
  }

  #patch(end: number, depth: number): Patch {
    const outer = this.#end;
    this.#end = end;
    this.suspect = true;
    const parts = this.whole(depth);
    this.#end = outer;
    return patchOf(parts);
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! >= 0x80) return false;
  return true;
}

function int64(value: bigint): number | bigint {
  if (value > BIG || value < -BIG) {
    if (value >= 2n ** 63n) throw new BadFrame("an integer beyond 64 bits with sign");
    return value;
  }
  return Number(value);
}

function arrayRef(payload: Uint8Array): ArrayRef {
  const parts = unpack(payload);
  const [digest, dtype, shape] = Array.isArray(parts) ? (parts as unknown[]) : [];
  const known = digest instanceof Uint8Array && digest.length === 32 && typeof dtype === "string";
  if (!known || !Array.isArray(shape) || !shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)) {
    throw new BadFrame("an array reference is [digest of 32 bytes, dtype, shape]");
  }
  return new ArrayRef(digest, dtype as Dtype, shape as number[]);
}

function timestamp(payload: Uint8Array): Date {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const [seconds, nanoseconds] = timestampParts(view);
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000));
  if (nanoseconds >= 1e9 || Number.isNaN(date.getTime())) throw new BadFrame("a malformed timestamp");
  return date;
}

function timestampParts(view: DataView): [seconds: number, nanoseconds: number] {
  if (view.byteLength === 4) return [view.getUint32(0), 0];
  if (view.byteLength === 12) return [Number(view.getBigInt64(4)), view.getUint32(0)];
  if (view.byteLength !== 8) throw new BadFrame("a malformed timestamp");
  const both = view.getBigUint64(0);
  return [Number(both & (2n ** 34n - 1n)), Number(both >> 34n)];
}
