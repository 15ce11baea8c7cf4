/** SHA-256 (FIPS 180-4), for digests that are needed at once or where the browser has no WebCrypto (plain http). */

const FRACTIONS = fractions();
const K = FRACTIONS.map((fraction) => fraction[0]);
const INITIAL = FRACTIONS.slice(0, 8).map((fraction) => fraction[1]);
const schedule = new Int32Array(64);

/** Give the first 32 bits of the fractions of the cube and square roots of the first 64 primes. */
function fractions(): [cube: number, square: number][] {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  const bits = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  return primes.map((prime) => [bits(Math.cbrt(prime)), bits(Math.sqrt(prime))]);
}

/** Give the SHA-256 of bytes: 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  const state = Int32Array.from(INITIAL);
  const whole = data.length & ~63;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < whole; at += 64) compress(state, view, at);
  const end = padded(data.subarray(whole), data.length);
  for (let at = 0; at < end.byteLength; at += 64) compress(state, end, at);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setInt32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

function padded(rest: Uint8Array, length: number): DataView {
  const block = new Uint8Array(rest.length < 56 ? 64 : 128);
  block.set(rest);
  block[rest.length] = 0x80;
  const view = new DataView(block.buffer);
  view.setUint32(block.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(block.length - 4, (length << 3) >>> 0);
  return view;
}

function expand(block: DataView, at: number): void {
  for (let index = 0; index < 16; index++) schedule[index] = block.getInt32(at + index * 4);
  for (let index = 16; index < 64; index++) {
    const a = schedule[index - 15]!;
    const b = schedule[index - 2]!;
    const low = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const high = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    schedule[index] = (schedule[index - 16]! + low + schedule[index - 7]! + high) | 0;
  }
}

function compress(state: Int32Array, block: DataView, at: number): void {
  expand(block, at);
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index++) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + high + ((e & f) ^ (~e & g)) + K[index]! + schedule[index]!) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = (state[index]! + word) | 0));
}
