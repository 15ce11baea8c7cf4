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

/** Whether an outbox says of a mutation that it may have been sent; it is not sent before. */
export interface Permit extends Gate {
  /** Have it written down, if it is not being written already. */
  ask(): void;
  /** The connection is gone: what has not been sent on it has not been sent after all. */
  revoke(): void;
}

/** One mutation or action. */
export class Request {
  readonly answer = new Answer();
  /** It was handed to a socket at least once, so the server may have it. */
  tried = false;
  /** It has been refused for a while, and goes again after that. */
  postponed = false;
  /** How often the server has not run it because a sign-in had ended. */
  tooLate = 0;
  /** When it was first sent, in milliseconds since 1970 by the server's clock. */
  issuedAt: number | null = null;
  /** What the caller traces; an outbox does not keep it. */
  traceparent: string | null = null;
  /** What else has to be there before it goes. */
  gate: Gate = { open: true };
  /** Of a mutation in an outbox. */
  permit: Permit | null = null;

  /**
   * @param upload Its arrays, which go ahead of it.
   * @param needs The queries that show the arrays it only refers to; the server looks for them there.
   * @param needsSignIn Its caller was signed in, or signing in: it is not sent while nobody is. null: not known yet, because
   * the program has yet to say whether it has a token.
   */
  constructor(
    public requestId: number,
    readonly kind: RequestKind,
    readonly path: string,
    readonly args: ValueMap,
    readonly upload: Upload | null,
    readonly needs: readonly LiveQuery[],
    public needsSignIn: boolean | null,
  ) {}

  /** Whether array frames are still to go before the message may. */
  get uploading(): boolean {
    return this.upload !== null && !this.upload.done;
  }

  /** Whether something has to come before the message. */
  get heldBack(): boolean {
    return this.postponed || this.uploading || !this.gate.open || !this.needs.every((query) => query.confirmed);
  }

  /** Whether nobody waits for the answer any more. */
  get givenUp(): boolean {
    return this.answer.done;
  }
}

/** All unanswered requests, by number: those still to go, and those that the present connection has taken. */
export class Requests {
  /** Whether the present connection is signed in; requests that need that wait until it is. */
  signedIn = false;
  #toGo = new Map<number, Request>();
  #inFlight = new Map<number, Request>();

  get size(): number {
    return this.#toGo.size + this.#inFlight.size;
  }

  [Symbol.iterator](): Iterator<Request> {
    return [...this.#inFlight.values(), ...this.#toGo.values()][Symbol.iterator]();
  }

  get actionsInFlight(): number {
    return [...this.#inFlight.values()].filter((request) => request.kind === "action").length;
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
   * go again in the order in which the server may have seen them, and so do those that wait for a permit only.
   * @param actions Whether actions may go.
   */
  nextMessage(actions = true): Request | null {
    let [retryHeld, permitHeld] = [false, false];
    for (const request of this.#toGo.values()) {
      if (request.givenUp || !this.#admits(request) || (request.kind === "action" && !actions)) continue;
      if (request.tried && retryHeld) continue;
      if (request.heldBack) {
        retryHeld ||= request.tried;
        continue;
      }
      request.permit?.ask();
      permitHeld ||= request.permit?.open === false;
      if (!request.permit || !permitHeld) return request;
    }
    return null;
  }

  /** Give the upload that an array frame may be taken from. */
  nextUpload(): Upload | null {
    for (const request of this.#toGo.values()) {
      const halfSent = request.upload?.amidArray ?? false;
      if (request.givenUp && !halfSent) this.#toGo.delete(request.requestId);
      else if (request.uploading && (halfSent || this.#admits(request))) return request.upload;
    }
    return null;
  }

  #admits(request: Request): boolean {
    return this.signedIn || request.needsSignIn === false;
  }

  /** It is known whether the connection is signed in, and if it is not, whether a token was refused. */
  identified(signedIn: boolean, refused: boolean): void {
    this.signedIn = signedIn;
    for (const request of this) request.needsSignIn ??= signedIn || refused;
  }

  /** Put a request that was answered but has done nothing back in line, under a new number. */
  postpone(request: Request, requestId: number): void {
    request.requestId = requestId;
    this.add(request);
  }

  /** Take out the requests that need somebody signed in and are not kept. */
  takeNeedingSignIn(): Request[] {
    const taken = [...this.#toGo.values()].filter((request) => request.needsSignIn && !request.permit);
    for (const request of taken) this.drop(request);
    return taken;
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
