/** Mutations and actions that have no answer yet: what goes out, in which order, and what a broken connection means. */
import { ConnectionLost, type SynoviaError } from "./errors.js";
import type { LiveQuery } from "./queries.js";
import type { ValueMap } from "./protocol/values.js";
import type { Upload } from "./uploads.js";

export type RequestKind = "mutation" | "action";

/** Counts the requests of a session. A number is never given twice: the server knows a retried mutation by it. */
export class RequestNumbers {
  #last = 0;

  /** Give the next number. */
  take(): number {
    return ++this.#last;
  }
}

/** A promise that somebody else settles, once. */
export class Answer {
  readonly promise: Promise<unknown>;
  done = false;
  #resolve!: (result: unknown) => void;
  #reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined); // whoever waits is told; an answer that nobody waits for is no unhandled rejection
  }

  succeed(result: unknown): void {
    this.done = true;
    this.#resolve(result);
  }

  fail(error: Error): void {
    this.done = true;
    this.#reject(error);
  }
}

/** What may be held back: something that is not ready yet. */
export interface Gate {
  readonly open: boolean;
}

/** One mutation or action. */
export class Request {
  readonly answer = new Answer();
  /** It was handed to a socket at least once, so the server may have it. */
  tried = false;

  /**
   * @param upload Its arrays, which go ahead of it.
   * @param needs The queries that show the arrays it only refers to; the server looks for them there.
   * @param gates What else has to be there before it goes.
   * @param issuedAt When it was first asked for, in milliseconds since 1970 by our own clock.
   */
  constructor(
    readonly requestId: number,
    readonly kind: RequestKind,
    readonly path: string,
    readonly args: ValueMap,
    readonly upload: Upload | null,
    readonly needs: readonly LiveQuery[],
    readonly gates: Gate[],
    readonly issuedAt: number,
  ) {}

  /** Whether array frames are still to go before the message may. */
  get uploading(): boolean {
    return this.upload !== null && !this.upload.done;
  }

  /** Whether something has to come before the message. */
  get heldBack(): boolean {
    return this.uploading || !this.needs.every((query) => query.confirmed) || !this.#admitted;
  }

  /** Whether it may use the connection at all. */
  get #admitted(): boolean {
    return this.gates.every((gate) => gate.open);
  }

  /** Whether nobody waits for the answer any more. */
  get givenUp(): boolean {
    return this.answer.done;
  }
}

/** All unanswered requests, by number: those still to go, and those that the present connection has taken. */
export class Requests {
  #toGo = new Map<number, Request>();
  #inFlight = new Map<number, Request>();

  get size(): number {
    return this.#toGo.size + this.#inFlight.size;
  }

  /** Take a request in; it goes out when the connection can take it. */
  add(request: Request): void {
    this.#toGo.set(request.requestId, request);
  }

  /** Forget a request whose caller has given up, unless one of its arrays is half sent: that one is finished first. */
  drop(request: Request): void {
    this.#inFlight.delete(request.requestId);
    if (!request.upload?.amidArray) this.#toGo.delete(request.requestId);
  }

  /**
   * Give the request whose message may go now.
   *
   * New requests overtake one that is still uploading. Requests that were sent before do not overtake each other: they
   * go again in the order in which the server may have seen them.
   */
  nextMessage(): Request | null {
    let retryHeld = false;
    for (const request of this.#toGo.values()) {
      if (request.givenUp || (request.tried && retryHeld)) continue;
      if (!request.heldBack) return request;
      retryHeld ||= request.tried;
    }
    return null;
  }

  /** Give the upload that an array frame may be taken from. */
  nextUpload(): Upload | null {
    for (const request of this.#toGo.values()) {
      if (request.givenUp && !request.upload?.amidArray) this.#toGo.delete(request.requestId);
      else if (request.uploading) return request.upload;
    }
    return null;
  }

  /** Count a request as sent: from here on nobody knows whether the server has it. */
  sending(request: Request): void {
    this.#toGo.delete(request.requestId);
    this.#inFlight.set(request.requestId, request);
    request.tried = true;
  }

  /** Take out the request that an answer belongs to; undefined when its caller has given up. */
  answered(requestId: number): Request | undefined {
    const request = this.#inFlight.get(requestId);
    this.#inFlight.delete(requestId);
    return request;
  }

  /** Put mutations back in line, in their old order, to be sent again; fail the actions that were in flight. */
  disconnected(): void {
    const retries = [...this.#inFlight.values()].filter((request) => request.kind === "mutation");
    for (const request of this.#inFlight.values()) {
      if (request.kind === "mutation") continue;
      request.answer.fail(new ConnectionLost(`the connection broke while the action ${request.path} was in flight`));
    }
    const inOrder = [...retries, ...this.#toGo.values()].sort((a, b) => a.requestId - b.requestId);
    this.#inFlight = new Map();
    this.#toGo = new Map(inOrder.filter((request) => !request.givenUp).map((request) => [request.requestId, request]));
    for (const request of this.#toGo.values()) request.upload?.restart();
  }

  /** Give every caller an error of its own. */
  failAll(error: () => SynoviaError): void {
    for (const request of [...this.#inFlight.values(), ...this.#toGo.values()]) request.answer.fail(error());
    this.#toGo.clear();
    this.#inFlight.clear();
  }
}
