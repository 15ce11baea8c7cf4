/** The array downloads of one client connection. */
import { DownloadReceiver } from "./arrays.js";
import { ProtocolError } from "./errors.js";
import type { ArrayFetched, ClientEvent } from "./events.js";
import type { ArrayFrame, ArrayResponse } from "./messages.js";
import type { Limits } from "./unpack.js";

/** Which arrays were asked for, and what has come of each. */
export class Downloads {
  readonly #expected = new Map<number, Uint8Array>();
  readonly #receivers = new Map<number, DownloadReceiver>();
  readonly #cancelled = new Set<number>();

  constructor(readonly limits: Limits) {}

  /** Remember which array a fetch asks for. */
  expect(requestId: number, digest: Uint8Array): void {
    this.#expected.set(requestId, digest);
  }

  /** Ignore what still comes of a fetch. */
  cancel(requestId: number): void {
    this.#expected.delete(requestId);
    this.#receivers.delete(requestId);
    this.#cancelled.add(requestId);
  }

  isCancelled(requestId: number): boolean {
    return this.#cancelled.has(requestId);
  }

  /** Whether something of a fetch is still to come. */
  isOpen(requestId: number): boolean {
    return this.#expected.has(requestId) || this.#receivers.has(requestId);
  }

  /** Give the elements of a fetch that have arrived so far. */
  received(requestId: number): Uint8Array {
    return this.#receivers.get(requestId)?.data ?? new Uint8Array(0);
  }

  /** Take the answer to a fetch, whose elements follow. */
  begin(response: ArrayResponse): ClientEvent[] {
    const digest = this.#expected.get(response.requestId);
    if (!digest) throw new ProtocolError("unexpected_message", `a second answer to fetch ${response.requestId}`);
    this.#expected.delete(response.requestId);
    if (response.error) return [response];
    const receiver = new DownloadReceiver(digest, response.dtype, response.shape, this.limits);
    if (receiver.complete) return [response, fetched(response.requestId, receiver)];
    this.#receivers.set(response.requestId, receiver);
    return [response];
  }

  /** Take one frame of elements. */
  receive(frame: ArrayFrame): ClientEvent[] {
    const { stream, position, length, data } = frame;
    if (this.#cancelled.has(stream)) return [];
    const receiver = this.#receivers.get(stream);
    if (!receiver) throw new ProtocolError("bad_array_frame", `no array is awaited on stream ${stream}`);
    receiver.receive(frame);
    const events: ClientEvent[] = [{ type: "ArrayChunk", requestId: stream, position, length, data }];
    if (receiver.complete) {
      this.#receivers.delete(stream);
      events.push(fetched(stream, receiver));
    }
    return events;
  }
}

function fetched(requestId: number, { dtype, shape, data }: DownloadReceiver): ArrayFetched {
  return { type: "ArrayFetched", requestId, dtype, shape, data };
}
