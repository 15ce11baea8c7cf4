/** The state that outlives connections: what is to be sent, in which order, and where the answers go. */
import type { Clock } from "./clock.js";
import { Downloads, type Download } from "./downloads.js";
import { ConnectionLost, FunctionError, type SynoviaError } from "./errors.js";
import type { OptimisticUpdate } from "./optimistic.js";
import type { ClientSession } from "./protocol/client-session.js";
import { WireValueError, type ErrorInfo } from "./protocol/errors.js";
import type { ClientEvent } from "./protocol/events.js";
import type { ActionResponse, MutationResponse } from "./protocol/messages.js";
import { FROM_CLIENT } from "./protocol/unpack.js";
import type { ValueMap } from "./protocol/values.js";
import { Rooms } from "./presence.js";
import { QuerySet, type LiveQuery } from "./queries.js";
import { RequestNumbers, Requests, type Request, type RequestKind } from "./requests.js";
import { ServerTime } from "./server-time.js";
import type { Timeouts } from "./settings.js";
import { LEAST_WAIT, Throttle, timeToWait } from "./throttle.js";
import { ArrayOrigins } from "./array-origins.js";
import { View } from "./view.js";

/** Milliseconds between two attempts of a request at most, however often a server has not run it. */
const MOST_BETWEEN = 1_000;
const ROOM = Math.floor(FROM_CLIENT.maxElements * 0.9); // a message of fewer bytes than a server takes elements has not too many

type Frame = Uint8Array<ArrayBuffer>;

/**
 * The query set, unanswered requests and array transfers of a client.
 *
 * The socket asks `nextFrame` whenever it can take one: that is the whole send queue. Messages come before array frames,
 * and what was dropped or changed in the meantime costs nothing.
 */
export class SyncState {
  readonly numbers = new RequestNumbers();
  readonly queries = new QuerySet();
  readonly arrayOrigins = new ArrayOrigins();
  readonly requests = new Requests();
  readonly downloads = new Downloads(this.numbers);
  readonly rooms: Rooms;
  readonly view: View;
  readonly time: ServerTime;
  /** The number of the present connection, from when it takes requests; null while there is none. */
  epoch: number | null = null;
  /** How long a message may be, by what the server has said last. */
  maxMessageBytes = FROM_CLIENT.maxMessageBytes;
  #epochs = 0;
  readonly #throttle: Throttle;
  readonly #updates = new Map<Request, OptimisticUpdate>();
  #heardOf: LiveQuery[] = [];
  #wake: (() => void) | null = null;
  #woken = false;

  /** @param answered Called with each mutation or action that the server has answered, and how it failed. */
  constructor(
    clock: Clock,
    timeouts: Timeouts,
    readonly answered?: (request: Request, error: ErrorInfo | null) => void,
  ) {
    this.view = new View(this.queries, clock, timeouts);
    this.time = new ServerTime(clock);
    this.#throttle = new Throttle(clock, () => this.ready());
    this.rooms = new Rooms(this.#throttle, () => this.ready());
  }

  /** Say whom to tell when `nextFrame` may have something: once for all that happens in one go. */
  onReady(wake: (() => void) | null): void {
    this.#wake = wake;
  }

  ready(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#wake?.();
    });
  }

  // --- what the program asks for

  /** Hold a query; see `QuerySet.hold`. */
  hold(path: string, args: ValueMap, key?: string): LiveQuery {
    const query = this.queries.hold(path, args, key);
    this.ready();
    return query;
  }

  /** Hold a query that is asked once, now; see `QuerySet.ask`. */
  ask(path: string, args: ValueMap, traceparent: string | null = null): LiveQuery {
    const query = this.queries.ask(path, args);
    query.traceparent ??= traceparent;
    this.ready();
    return query;
  }

  /** Give up one hold of a query. */
  release(query: LiveQuery): void {
    this.queries.release(query);
    this.ready();
  }

  /** Hold the query that shows, or last showed, an array; null if there was none. Who holds it lets go of it again. */
  showing(digest: string): LiveQuery | null {
    const origin = this.arrayOrigins.find(digest, this.queries);
    return origin ? this.hold(origin.path, origin.args) : null;
  }

  /** Send a request as soon as it may go. */
  request(request: Request, update: OptimisticUpdate | null = null): void {
    this.requests.add(request);
    if (update) {
      update.request = request;
      this.#updates.set(request, update);
    }
    this.ready();
  }

  /** Nobody waits for a request any more. */
  drop(request: Request): void {
    this.requests.drop(request);
    this.#updates.delete(request);
    this.ready();
  }

  /** Run a download; `downloads.drop` when nobody waits for it any more. */
  download(download: Download): void {
    this.downloads.add(download);
    this.ready();
  }

  // --- what goes out

  /** Give the next change of the query set, if there is one. */
  nextQuerySet(session: ClientSession): Frame | null {
    this.#forgetReleased();
    while (this.queries.untold) {
      const frame = this.#modify(session);
      if (frame) return frame;
    }
    return null;
  }

  #modify(session: ClientSession): Frame | null {
    const room = Math.min((session.welcome?.maxMessageBytes ?? Infinity) / 2, ROOM);
    const { added, removed } = this.queries.difference(room);
    if (!added.length && !removed.length) return null;
    try {
      return session.modify(added, removed);
    } catch (error) {
      if (!(error instanceof WireValueError)) throw error;
      this.#refuse(added[0]!, error); // it alone is larger than the server takes
      return removed.length ? session.modify([], removed) : null;
    }
  }

  #refuse(query: LiveQuery, error: WireValueError): void {
    this.queries.refuse(query, new FunctionError("too_large", error.message));
    this.view.mark(query);
    this.view.look();
    query.heard.emit();
  }

  /** Give what goes out next, once the server has welcomed us; null when there is nothing. */
  nextFrame(session: ClientSession, roomForSamples: boolean): Frame | null {
    return (
      this.nextQuerySet(session) ??
      this.rooms.nextFrame(session) ??
      this.#nextCancel(session) ??
      this.#nextRequest(session) ??
      this.#nextFetch(session) ??
      (roomForSamples ? this.#nextArrayFrame() : null)
    );
  }

  #nextCancel(session: ClientSession): Frame | null {
    const requestId = this.downloads.nextCancelled();
    return requestId === undefined ? null : session.cancelFetch(requestId);
  }

  #nextFetch(session: ClientSession): Frame | null {
    const fetch = this.#mayCall ? this.downloads.nextFetch() : null;
    return fetch && session.fetchArray(fetch);
  }

  #nextRequest(session: ClientSession): Frame | null {
    for (let request; (request = this.requests.nextMessage(this.#mayCall)); ) {
      try {
        const frame = encode(request, session);
        request.issuedAt ??= this.time.now();
        this.requests.sending(request);
        return frame;
      } catch (error) {
        if (!(error instanceof WireValueError)) throw error;
        this.#settle(request, { code: "too_large", message: error.message, data: null });
      }
    }
    return null;
  }

  /** Whether an action or a fetch may go; mutations wait at the server. */
  get #mayCall(): boolean {
    return this.#throttle.admits(this.requests.actionsInFlight + this.downloads.running);
  }

  #nextArrayFrame(): Frame | null {
    return this.requests.nextUpload()?.take() ?? null;
  }

  // --- what comes in

  /** Take what the session made of a frame; events that belong to the connection itself are passed over. */
  receive(events: readonly ClientEvent[]): void {
    for (const event of events) this.#take(event);
    this.ready();
  }

  #take(event: ClientEvent): void {
    switch (event.type) {
      case "Welcome":
        this.time.learn(event.serverTime);
        this.maxMessageBytes = event.maxMessageBytes;
        return this.view.connected();
      case "QueryUpdated":
        return this.#heard(event.queryId, (query) => (event.changed ? query.succeed(event.value) : this.#confirm(query, event.value)));
      case "QueryErrored":
        return this.#heard(event.queryId, (query) => query.fail(FunctionError.of(event.error)));
      case "TransitionApplied":
        return this.#applied(event.ts);
      case "MutationResponse":
      case "ActionResponse":
        return this.#answered(event);
      case "ArrayResponse":
        if (this.#throttle.refused(event.error)) return this.downloads.postpone(event.requestId);
        return this.downloads.respond(event);
      case "ArrayChunk":
        return this.downloads.receive(event);
      case "ArrayFetched":
        return this.downloads.finish(event);
      case "PresenceUpdated":
        return this.rooms.updated(event);
      case "PresenceEnded":
        return this.rooms.ended(event);
    }
  }

  #heard(queryId: number, take: (query: LiveQuery) => void): void {
    const query = this.queries.get(queryId);
    if (!query) return;
    const before = query.newest;
    take(query);
    if (query.newest !== before) this.view.mark(query);
    this.#heardOf.push(query);
  }

  #confirm(query: LiveQuery, value: unknown): void {
    if (query.newest.error) query.succeed(value);
    else query.confirmed = true;
  }

  #applied(ts: bigint): void {
    const heard = this.#heardOf;
    this.#heardOf = [];
    this.view.applied(ts);
    for (const query of heard) query.heard.emit();
  }

  #answered(response: MutationResponse | ActionResponse): void {
    const request = this.requests.answered(response.requestId);
    const isAction = response.type === "ActionResponse";
    const again = isAction && this.#throttle.refused(response.error);
    if (!request) return;
    if (!request.givenUp && (again || (!isAction && this.#comesLater(request, response.error)))) {
      return this.requests.postpone(request, this.numbers.take());
    }
    if (cameTooLate(response.error)) return this.#notRun(request);
    if (response.error) return this.#settle(request, response.error);
    this.answered?.(request, null);
    if (response.type === "ActionResponse") this.view.afterwards(() => request.answer.succeed(response.result));
    else this.#done(request, response);
  }

  /**
   * Have a mutation go again that was refused by a limit of the application, once it has waited as long as it was told; others go
   * on meanwhile. One that is kept in an outbox is told of the error: its number there stands for one attempt.
   */
  #comesLater(request: Request, error: ErrorInfo | null): boolean {
    const wait = timeToWait(error);
    if (wait === null || request.permit) return false;
    request.tried = false;
    request.issuedAt = null;
    this.#holdBack(request, wait);
    return true;
  }

  #holdBack(request: Request, wait: number): void {
    request.postponed = true;
    this.#throttle.after(wait, () => {
      request.postponed = false;
      this.ready();
    });
  }

  /** The sign-in had ended when the request arrived: it waits for the next one, or fails if there is none to come. */
  #notRun(request: Request): void {
    if (this.requests.signedIn || request.permit || request.needsSignIn === false) {
      // a server that says so each time is wrong: it is asked less and less often
      if (++request.tooLate > 1) this.#holdBack(request, Math.min(LEAST_WAIT * 2 ** request.tooLate, MOST_BETWEEN));
      return this.requests.add(request);
    }
    request.tried = false;
    this.#fail(request, signedOut(request));
  }

  #done(request: Request, { ts, result }: MutationResponse): void {
    const update = this.#updates.get(request) ?? null;
    this.#updates.delete(request);
    this.view.answered(update, ts, () => request.answer.succeed(result));
  }

  /** A request has failed by what the server says, or would say. */
  #settle(request: Request, error: ErrorInfo): void {
    this.answered?.(request, error);
    this.#fail(request, FunctionError.of(error));
  }

  #fail(request: Request, error: SynoviaError): void {
    const update = this.#updates.get(request);
    this.drop(request);
    if (update) this.view.drop(update);
    request.answer.fail(error);
  }

  // --- connections come and go

  /** It is settled whether the connection is signed in: requests may go; those that need that, and are not kept, fail if it is not. */
  identified(signedIn: boolean, refused: boolean): void {
    this.requests.identified(signedIn, refused);
    if (!signedIn) for (const request of this.requests.takeNeedingSignIn()) this.#fail(request, signedOut(request));
    this.epoch ??= ++this.#epochs;
    this.rooms.identified();
    this.ready();
  }

  #left(): void {
    this.epoch = null;
    this.requests.signedIn = false;
    for (const request of this.requests) if (!request.tried) request.permit?.revoke();
  }

  /** The connection is gone: what can be sent again gets ready for that, the rest fails. */
  disconnected(session: ClientSession): void {
    this.#heardOf = [];
    this.#left();
    this.#forgetReleased();
    this.view.disconnected();
    this.queries.disconnected();
    this.rooms.disconnected();
    this.requests.disconnected();
    this.downloads.disconnected((requestId) => session.fetchedSoFar(requestId));
  }

  /** Make the session of the next connection, with the results that are still wanted; after a resync without their ts. */
  nextSession(old: ClientSession, resync: boolean): ClientSession {
    this.#forgetReleased();
    const wanted = (queryId: number): boolean => this.queries.get(queryId) !== undefined;
    return resync ? old.restart(wanted) : old.resume(wanted);
  }

  #forgetReleased(): void {
    for (const released of this.queries.forgetReleased()) {
      this.arrayOrigins.note(released);
      this.view.forget(released);
    }
  }

  /** Nothing will be sent any more: everyone who waits gets an error of their own. */
  end(error: () => SynoviaError): void {
    this.#throttle.close();
    this.#left();
    this.requests.failAll(error);
    this.downloads.failAll(error);
    this.rooms.disconnected();
    this.view.close();
    for (const query of this.queries) {
      query.heard.emit();
      query.watchers.emit();
    }
  }
}

function encode({ requestId, kind, path, args, tried, issuedAt, traceparent }: Request, session: ClientSession): Frame {
  if (kind === "action") return session.action(requestId, path, args, traceparent);
  return session.mutation(requestId, path, args, tried, tried ? issuedAt : null, traceparent);
}

/** Tell whether a server has not run a request because the sign-in had ended, by itself or by a refused token. */
function cameTooLate(error: ErrorInfo | null): boolean {
  return (error?.data as { signedOut?: unknown } | null | undefined)?.signedOut === true;
}

function signedOut({ kind, path, tried }: Request): SynoviaError {
  if (!tried) return notSignedIn(kind, path);
  return new ConnectionLost(`the ${kind} ${path} was in flight when the connection broke, and whoever made it is not signed in any more`);
}

/** Make the error of a request whose caller has been signed out before it was sent. */
export function notSignedIn(kind: RequestKind, path: string): FunctionError {
  return new FunctionError("unauthenticated", `the ${kind} ${path} was made as somebody who is not signed in any more: it was not run`);
}
