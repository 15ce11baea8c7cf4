/** Arrays on their way from the server: asked for when the query that shows them is there, resumed after a break. */
import { callSafely } from "./callbacks.js";
import { FunctionError, type SynoviaError } from "./errors.js";
import { itemBytes, viewAs, type TypedArray } from "./protocol/arrays.js";
import type { ArrayChunk, ArrayFetched } from "./protocol/events.js";
import type { ArrayResponse, FetchArray } from "./protocol/messages.js";
import type { ArrayRef } from "./protocol/values.js";
import type { LiveQuery } from "./queries.js";
import { Answer, type RequestNumbers } from "./requests.js";
import type { Progress } from "./uploads.js";

/** Which elements of an array, and how many at most. */
export interface Range {
  readonly start: number;
  readonly stop: number | null;
  readonly points: number | null;
}

/** One fetch of an array, over as many connections as it takes. */
export class Download {
  readonly answer = new Answer();
  #parts: Uint8Array[] = [];
  #received = 0;

  /**
   * @param query The live query that shows the array; held by whoever waits for the download.
   * @param alive Called when there was progress.
   */
  constructor(
    readonly query: LiveQuery,
    readonly ref: ArrayRef,
    readonly range: Range,
    readonly onProgress?: Progress,
    readonly alive?: () => void,
  ) {}

  /** Ask for what is still missing. */
  question(requestId: number): Omit<FetchArray, "type"> {
    const { start, stop, points } = this.range;
    const { queryId } = this.query;
    return { requestId, queryId, digest: this.ref.digest, start: start + this.#received, stop, points };
  }

  /** Take the announcement of the elements, or the refusal. */
  respond(response: ArrayResponse): void {
    const fault = response.error ? null : this.#faultOf(response);
    if (response.error) this.answer.fail(FunctionError.of(response.error));
    else if (fault) this.answer.fail(new FunctionError("bad_array", `the server sends another array than was asked for: ${fault}`));
    this.alive?.();
  }

  /** Say why what is announced is not what was asked for, before there is memory for it. */
  #faultOf({ dtype, shape }: ArrayResponse): string | null {
    if (dtype !== this.ref.dtype) return `${dtype}, not ${this.ref.dtype}`;
    const { start, stop, points } = this.range;
    const most = points ?? Math.max(0, Math.min(stop ?? Infinity, this.ref.length) - start - this.#received);
    const length = shape.reduce((product, axis) => product * axis, 1);
    return length > most ? `${length} elements, of ${most} at most` : null;
  }

  /** Take some elements. */
  receive(chunk: ArrayChunk): void {
    this.alive?.();
    const item = itemBytes(this.ref.dtype);
    const done = (this.#received + chunk.position) * item + chunk.data.length;
    callSafely(this.onProgress, done, (this.#received + chunk.length) * item);
  }

  /** Take the whole answer. */
  finish(fetched: ArrayFetched): void {
    this.#parts.push(fetched.data);
    if (fetched.dtype !== this.ref.dtype) {
      this.answer.fail(new FunctionError("bad_array", `the server sent ${fetched.dtype}, not ${this.ref.dtype}`));
    } else {
      this.answer.succeed(this.#assemble());
    }
  }

  #assemble(): TypedArray {
    const [first] = this.#parts;
    return viewAs(this.#parts.length === 1 ? first! : concatenated(this.#parts), this.ref.dtype);
  }

  /** Keep what has come, if it can be continued: a thinned array is made anew. */
  interrupted(fetched: Uint8Array): void {
    if (this.range.points !== null || !fetched.length) return;
    this.#parts.push(fetched);
    this.#received += fetched.length / itemBytes(this.ref.dtype);
  }
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** All downloads of a client: those that wait for their turn, and those that the server is sending. */
export class Downloads {
  #toGo: Download[] = [];
  readonly #running = new Map<number, Download>();
  #cancelled: number[] = [];

  /**
   * @param numbers Gives request ids; each attempt has a new one, so that late frames of an old one are known.
   * @param atOnce How many may run; a server refuses more than it allows.
   */
  constructor(
    readonly numbers: RequestNumbers,
    readonly atOnce = 4,
  ) {}

  /** Take a download in; it is asked for when its query is there. */
  add(download: Download): void {
    this.#toGo.push(download);
  }

  /** Forget a download whose caller has given up, and tell the server if it is running. */
  drop(download: Download): void {
    this.#toGo = this.#toGo.filter((waiting) => waiting !== download);
    for (const [requestId, running] of this.#running) {
      if (running !== download) continue;
      this.#running.delete(requestId);
      this.#cancelled.push(requestId);
    }
  }

  /** Give the request id of a download that the server should stop. */
  nextCancelled(): number | undefined {
    return this.#cancelled.pop();
  }

  /** Give the next question that may be asked now, and count it as asked. */
  nextFetch(): Omit<FetchArray, "type"> | null {
    if (this.#running.size >= this.atOnce) return null;
    for (const download of this.#toGo) {
      if (!download.query.confirmed) continue;
      this.#toGo = this.#toGo.filter((waiting) => waiting !== download);
      const { error } = download.query.newest;
      if (!error) return this.#ask(download);
      download.answer.fail(error);
    }
    return null;
  }

  #ask(download: Download): Omit<FetchArray, "type"> {
    const requestId = this.numbers.take();
    this.#running.set(requestId, download);
    return download.question(requestId);
  }

  /** How many the server has been asked for. */
  get running(): number {
    return this.#running.size;
  }

  /** Put a download that the server has refused for now back in line. */
  postpone(requestId: number): void {
    const download = this.#running.get(requestId);
    this.#running.delete(requestId);
    if (download) this.#toGo.unshift(download);
  }

  /** Take an answer; one that nobody waits for any more is passed over. */
  respond(response: ArrayResponse): void {
    this.#running.get(response.requestId)?.respond(response);
    if (response.error) this.#running.delete(response.requestId);
  }

  /** Take some elements. */
  receive(chunk: ArrayChunk): void {
    this.#running.get(chunk.requestId)?.receive(chunk);
  }

  /** Take a whole answer. */
  finish(fetched: ArrayFetched): void {
    const download = this.#running.get(fetched.requestId);
    this.#running.delete(fetched.requestId);
    download?.finish(fetched);
  }

  /** Put what was running back in line, to go on where it was. */
  disconnected(fetchedSoFar: (requestId: number) => Uint8Array): void {
    for (const [requestId, download] of this.#running) download.interrupted(fetchedSoFar(requestId));
    this.#toGo = [...this.#running.values(), ...this.#toGo];
    this.#running.clear();
    this.#cancelled = [];
  }

  /** Give every caller an error of its own. */
  failAll(error: () => SynoviaError): void {
    for (const download of [...this.#running.values(), ...this.#toGo]) download.answer.fail(error());
    this.#running.clear();
    this.#toGo = [];
  }
}
