/** Wire values to bytes: msgpack, in the shortest formats. */
import { isPatch } from "./edits.js";
import { WireValueError } from "./errors.js";
import { ArrayRef, isMap, MAX_DEPTH, type ValueMap } from "./values.js";

export const EXT_ARRAY_REF = 1;
export const EXT_PATCH = 2;
export const EXT_TIMESTAMP = -1;

/** A digest, a dtype and the lengths of a hundred axes. */
const MAX_REF_BYTES = 1024;
const utf8 = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;
const YEAR_1 = -62_135_596_800_000;
/** In milliseconds since 1970: no clock shows that. */
export const YEAR_10000 = 253_402_300_800_000;
const INT64_MAX = 2n ** 63n - 1n;

/** Pack a wire value. Properties that are undefined are left out. WireValueError for what cannot travel. */
export function pack(value: unknown, depth = MAX_DEPTH): Uint8Array<ArrayBuffer> {
  return new Packer(false).pack(value, depth);
}

/** Pack a value in the one form that all languages agree on: keys in the order of their UTF-8, one NaN. */
export function packCanonical(value: unknown): Uint8Array<ArrayBuffer> {
  return new Packer(true).pack(value, MAX_DEPTH);
}

class Packer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  readonly #sorted: boolean;

  constructor(sorted: boolean) {
    this.#sorted = sorted;
  }

  pack(value: unknown, depth: number): Uint8Array<ArrayBuffer> {
    this.#write(value, depth);
    return this.#bytes.slice(0, this.#at);
  }

  #write(value: unknown, depth: number): void {
    if (value === null) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#string(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else this.#object(value, depth);
  }

  #object(value: unknown, depth: number): void {
    if (Array.isArray(value)) this.#list(value, inside(depth));
    else if (value instanceof Uint8Array) this.#chunk(value, 0xc4, 0xc5, 0xc6);
    else if (value instanceof Date) this.#timestamp(value.getTime());
    else if (value instanceof ArrayRef) this.#ext(EXT_ARRAY_REF, reference(value));
    else if (isPatch(value)) this.#ext(EXT_PATCH, pack(value.parts()));
    else if (isMap(value)) this.#map(value, inside(depth));
    else throw new WireValueError(`${describe(value)} is not a wire value`);
  }

  // --- containers

  #list(items: readonly unknown[], depth: number): void {
    this.#head(items.length, 0x90, 15, 0, 0xdc, 0xdd);
    for (const item of items) this.#write(item, depth);
  }

  #map(map: ValueMap, depth: number): void {
    const keys = Object.keys(map).filter((key) => map[key] !== undefined);
    if (this.#sorted) keys.sort(byCodePoint);
    this.#head(keys.length, 0x80, 15, 0, 0xde, 0xdf);
    for (const key of keys) {
      this.#string(key);
      this.#write(map[key], depth);
    }
  }

  #string(text: string): void {
    if (text.length < 32 && this.#ascii(text)) return;
    if (LONE_SURROGATE.test(text)) throw new WireValueError("a string with half a character (a lone surrogate)");
    const bytes = utf8.encode(text);
    this.#head(bytes.length, 0xa0, 31, 0xd9, 0xda, 0xdb);
    this.#raw(bytes);
  }

  /** Write a short string that is all ASCII, as nearly all keys are; tell whether it is. */
  #ascii(text: string): boolean {
    this.#room(32);
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return false;
      this.#bytes[this.#at + 1 + index] = unit;
    }
    this.#bytes[this.#at] = 0xa0 | text.length;
    this.#at += 1 + text.length;
    return true;
  }

  #chunk(bytes: Uint8Array, short: number, middle: number, long: number): void {
    this.#head(bytes.length, 0, -1, short, middle, long);
    this.#raw(bytes);
  }

  #ext(type: number, payload: Uint8Array): void {
    const power = Math.log2(payload.length);
    if (power <= 4 && Number.isInteger(power)) this.#byte(0xd4 + power);
    else this.#head(payload.length, 0, -1, 0xc7, 0xc8, 0xc9);
    this.#byte(type);
    this.#raw(payload);
  }

  /** Write the shortest head for a length: in the first byte itself up to `most`, else with 1 (0: never), 2 or 4 bytes. */
  #head(length: number, fixed: number, most: number, short: number, middle: number, long: number): void {
    if (length <= most) this.#byte(fixed | length);
    else if (short && length < 0x100) this.#sized(short, 1, length);
    else if (length < 0x10000) this.#sized(middle, 2, length);
    else this.#sized(long, 4, length);
  }

  // --- numbers

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value);
    else if (value >= 0) this.#natural(value);
    else this.#negative(value);
  }

  #natural(value: number): void {
    if (value < 0x80) this.#byte(value);
    else if (value < 0x100) this.#sized(0xcc, 1, value);
    else if (value < 0x10000) this.#sized(0xcd, 2, value);
    else if (value < 0x100000000) this.#sized(0xce, 4, value);
    else this.#long(0xcf, BigInt(value));
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#byte(value);
    else if (value >= -0x80) this.#sized(0xd0, 1, value);
    else if (value >= -0x8000) this.#sized(0xd1, 2, value);
    else if (value >= -0x80000000) this.#sized(0xd2, 4, value);
    else this.#long(0xd3, BigInt(value));
  }

  #bigint(value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) this.#number(number);
    else if (value > INT64_MAX || value < -INT64_MAX - 1n) throw new WireValueError("an integer beyond 64 bits with sign");
    else this.#long(value < 0n ? 0xd3 : 0xcf, value);
  }

  #float(value: number): void {
    this.#room(9);
    this.#bytes[this.#at] = 0xcb;
    // the payload of a NaN does not survive JavaScript, so there is one NaN only
    if (Number.isNaN(value)) this.#view.setBigUint64(this.#at + 1, 0x7ff8n << 48n);
    else this.#view.setFloat64(this.#at + 1, value);
    this.#at += 9;
  }

  #timestamp(milliseconds: number): void {
    if (!(milliseconds >= YEAR_1 && milliseconds < YEAR_10000)) throw new WireValueError("a Date that is invalid, or outside the years 1 to 9999");
    const seconds = Math.floor(milliseconds / 1000);
    const nanoseconds = (milliseconds - seconds * 1000) * 1_000_000;
    this.#ext(EXT_TIMESTAMP, timestampPayload(seconds, nanoseconds));
  }

  // --- bytes

  #sized(tag: number, size: 1 | 2 | 4, value: number): void {
    this.#room(5);
    this.#bytes[this.#at] = tag;
    if (size === 1) this.#bytes[this.#at + 1] = value;
    else if (size === 2) this.#view.setUint16(this.#at + 1, value);
    else this.#view.setUint32(this.#at + 1, value);
    this.#at += 1 + size;
  }

  #long(tag: number, value: bigint): void {
    this.#room(9);
    this.#bytes[this.#at] = tag;
    this.#view.setBigInt64(this.#at + 1, value);
    this.#at += 9;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

function reference({ digest, dtype, shape }: ArrayRef): Uint8Array {
  const bytes = pack([digest, dtype, shape]);
  if (bytes.length > MAX_REF_BYTES) throw new WireValueError(`an array reference of ${bytes.length} bytes`);
  return bytes;
}

function inside(depth: number): number {
  if (depth <= 0) throw new WireValueError("nested too deeply");
  return depth - 1;
}

function describe(value: unknown): string {
  return value === undefined ? "undefined" : ((value as object).constructor?.name ?? typeof value);
}

function timestampPayload(seconds: number, nanoseconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  if (seconds < 0 || seconds >= 2 ** 34) {
    view.setUint32(0, nanoseconds);
    view.setBigInt64(4, BigInt(seconds));
    return new Uint8Array(view.buffer);
  }
  if (nanoseconds || seconds >= 2 ** 32) {
    view.setBigUint64(0, (BigInt(nanoseconds) << 34n) | BigInt(seconds));
    return new Uint8Array(view.buffer, 0, 8);
  }
  view.setUint32(0, seconds);
  return new Uint8Array(view.buffer, 0, 4);
}

/** Compare as UTF-8 does, which is by code point: UTF-16 puts what is beyond the basic plane too early. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
