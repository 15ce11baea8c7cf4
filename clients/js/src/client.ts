/** The client: what a program calls. */
import { besideSocket, socketUrl } from "./address.js";
import { checked, sendable } from "./arguments.js";
import { Backoff } from "./backoff.js";
import { callSafely, report, type Unsubscribe } from "./callbacks.js";
import { systemClock, type Clock } from "./clock.js";
import { Credentials, type AuthState, type Token, type TokenStore } from "./credentials.js";
import { Dialer, type SocketConstructor } from "./dialer.js";
import { Download, type Range } from "./downloads.js";
import { ClientClosed, ConnectionFailed, FunctionError, SynoviaError } from "./errors.js";
import type { UploadId, UploadOptions } from "./files.js";
import { limited, type CallOptions, type Limit } from "./limit.js";
import { ConnectionLoop } from "./loop.js";
import { onReturn } from "./network.js";
import { OptimisticUpdate, type OptimisticCallback } from "./optimistic.js";
import { Outbox, type OutboxOptions } from "./outbox.js";
import { OutboxPermit } from "./outbox-permit.js";
import type { TypedArray } from "./protocol/arrays.js";
import type { ErrorInfo } from "./protocol/errors.js";
import { eachRef, type ArrayRef, type ValueMap } from "./protocol/values.js";
import { Presence } from "./presence.js";
import type { LiveQuery } from "./queries.js";
import { OutboxRecovery } from "./outbox-recovery.js";
import type { ArgsOf, Rest, ResultOf } from "./references.js";
import { Request, type RequestKind } from "./requests.js";
import { timeoutsOf, type Timeouts } from "./settings.js";
import { StateWatch, type ConnectionState } from "./state.js";
import { LONGEST_WAIT } from "./throttle.js";
import { arraysIn, prepare, Upload, type Found, type Prepared, type Progress } from "./uploads.js";
import { Subscription } from "./subscription.js";
import { notSignedIn, SyncState } from "./sync-state.js";

export interface ClientOptions {
  /** What to sign in with; see also `authenticate`. */
  readonly token?: Token;
  /** Where tokens that the server gives are kept over a reload, as `localTokens("app")`. */
  readonly tokens?: TokenStore;
  /** Keep unanswered mutations where a reload does not reach them, under this name. */
  readonly outbox?: string | OutboxOptions;
  /**
   * Gives the header `traceparent` (W3C Trace Context) of what the program traces at present, or null; asked in each call of a
   * query, mutation or action, which the hub then traces as a part of that.
   */
  readonly traceparent?: () => string | null | undefined;
  /** Milliseconds. */
  readonly timeouts?: Partial<Timeouts>;
  readonly backoff?: ConstructorParameters<typeof Backoff>[0];
  /** The WebSocket to use; needed in Node 20, where it is that of the package `ws`. */
  readonly WebSocket?: unknown;
  /** Where time and chance come from; for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface RequestOptions extends CallOptions {
  /** Called with (bytes sent, bytes in total) while arrays are uploaded. */
  readonly onProgress?: Progress;
}

export interface MutationOptions<Args> extends RequestOptions {
  /** Shows what is expected of the mutation, until its effect is there. */
  readonly optimisticUpdate?: OptimisticCallback<Args>;
}

export interface ArrayOptions extends CallOptions {
  /** The first element wanted, counted row-major; 0 by default. */
  readonly start?: number;
  /** The end; the array's own by default. */
  readonly stop?: number | null;
  /** Thin to this many numbers at most: `points / 2` buckets, each its minimum and its maximum. */
  readonly points?: number | null;
  /** Called with (bytes received, bytes in total). */
  readonly onProgress?: Progress;
}

/** A connection to a hub that keeps itself up, from the beginning until `close()`. */
export class SynoviaClient {
  readonly url: string;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #state = new StateWatch();
  readonly #credentials: Credentials;
  readonly #sync: SyncState;
  readonly #loop: ConnectionLoop;
  readonly #outbox: Outbox | null;
  readonly #recovery: OutboxRecovery | null;
  readonly #forget: Unsubscribe;
  readonly #tracing: ClientOptions["traceparent"];
  #failure: ConnectionFailed | null = null;

  /**
   * Connect, in the background; every call waits for the connection by itself.
   * @param url `ws://HOST:PORT`, `wss://HOST`, or in a browser `/`: the page's own server. The path is `/sync` if there is none.
   */
  constructor(url: string, options: ClientOptions = {}) {
    const { token = null, tokens = null, clock = systemClock, random = Math.random, outbox } = options;
    this.url = socketUrl(url);
    this.#clock = clock;
    this.#tracing = options.traceparent;
    const timeouts = (this.#timeouts = timeoutsOf(options.timeouts ?? {}));
    const sessionId = crypto.getRandomValues(new Uint8Array(16));
    const credentials = (this.#credentials = new Credentials(token, clock, timeouts.token, tokens));
    this.#outbox = outbox === undefined ? null : new Outbox(typeof outbox === "string" ? { name: outbox } : outbox, sessionId, clock);
    const sync = (this.#sync = new SyncState(clock, timeouts, ({ requestId }) => this.#outbox?.remove(requestId)));
    const dialer = new Dialer(this.url, webSocket(options.WebSocket), clock, timeouts.connect);
    const parts = { dialer, credentials, backoff: new Backoff(options.backoff), timeouts, clock, random };
    this.#loop = new ConnectionLoop({ ...parts, sessionId, sync, state: this.#state, failed: (error) => this.#fail(error) });
    this.#recovery = this.#outbox && new OutboxRecovery(this.#outbox, parts, () => sync.ready());
    this.#forget = onReturn(() => this.#loop.hurry());
    this.#loop.start();
    this.#recovery?.run().catch(report);
  }

  /** End the connection; whoever still waits for an answer gets ClientClosed. May be called twice. */
  close(): void {
    this.#state.move("closed");
    this.#loop.stop();
    this.#end(() => new ClientClosed("the client is closed"));
  }

  #fail({ code, message, data }: ErrorInfo): void {
    const error = new ConnectionFailed(code, message, data);
    this.#failure = error;
    this.#state.move("failed");
    this.#end(() => error);
  }

  #end(error: () => SynoviaError): void {
    this.#forget();
    this.#recovery?.close();
    this.#sync.end(error);
    this.#credentials.changed.emit();
  }

  #checkRunning(): void {
    if (this.#state.current === "closed") throw new ClientClosed("the client is closed");
    if (this.#failure) throw this.#failure;
  }

  // --- the connection

  /** The state of the connection now. */
  get state(): ConnectionState {
    return this.#state.current;
  }

  /** Why there is no connection, for people; null while there is one. */
  get trouble(): string | null {
    return this.#state.trouble;
  }

  /** How many mutations and actions have no answer yet. */
  get unanswered(): number {
    return this.#sync.requests.size;
  }

  /** Be told of each new state of the connection, and of each attempt to connect that failed. */
  onStateChange(callback: (state: ConnectionState) => void): Unsubscribe {
    return this.#state.watch(callback);
  }

  /** Wait for the connection. RequestTimeout: it takes too long. ConnectionFailed: the server refuses for good. */
  async connected(options: CallOptions = {}): Promise<void> {
    await this.#limited("connecting", options, (limit) =>
      this.#until(limit, (told) => this.#state.watch(told), () => this.state === "connected"),
    );
  }

  // --- signing in

  /** Who the server takes us for; the same object as long as nothing changes. */
  get auth(): AuthState {
    return this.#credentials.state;
  }

  /** Be told when `auth` is another. */
  onAuthChange(callback: () => void): Unsubscribe {
    return this.#credentials.changed.add(callback);
  }

  /**
   * Sign in with another token (or function that gives one), or out with null, and wait until the server has looked at it.
   * AuthenticationError: it does not accept it; the client is anonymous now.
   */
  async authenticate(token: Token, options: CallOptions = {}): Promise<void> {
    this.#checkRunning();
    const credentials = this.#credentials;
    const number = credentials.replace(token);
    this.#loop.link?.signIn();
    await this.#limited("signing in", options, (limit) =>
      this.#until(limit, (told) => credentials.changed.add(told), () => credentials.settled >= number),
    );
    if (credentials.state.error) throw credentials.state.error;
  }

  /** Sign out: end the session on the server, if there is one, and become anonymous. */
  async signOut(options: CallOptions = {}): Promise<void> {
    const { issued } = this.#credentials;
    const anonymous = this.authenticate(null, options);
    if (issued !== null) await endSession(this.url, issued, this.#clock).catch(report);
    await anonymous;
  }

  // --- queries

  /**
   * Run a query once and give its result: it holds everything that was acknowledged to anybody before this call.
   * FunctionError: it failed. RequestTimeout: no result in time.
   */
  async query<F extends string>(path: F, ...[args, options]: Rest<"query", F, CallOptions>): Promise<ResultOf<F>> {
    this.#checkRunning();
    const query = this.#sync.ask(path, this.#checked(path, args ?? {}), this.#traceparent());
    try {
      await this.#limited(`the query ${path}`, options, (limit) =>
        this.#until(limit, (told) => query.heard.add(told), () => query.confirmed),
      );
    } finally {
      this.#sync.release(query);
    }
    if (query.newest.error) throw query.newest.error;
    return query.newest.value as ResultOf<F>;
  }

  /** Look at a query without a callback: what it shows now, and a way to be told of changes. */
  watch<F extends string>(path: F, args: ArgsOf<F>): Subscription {
    return new Subscription(this.#sync, path, this.#checked(path, args ?? {}));
  }

  /**
   * Keep a query up to date: `callback` is called with the present result, if there is one, and with each new one.
   * @param onError Called when the query fails, and when the server refuses the client for good.
   * @returns What ends it.
   */
  onUpdate<F extends string>(
    path: F,
    args: ArgsOf<F>,
    callback: (value: ResultOf<F>) => void,
    onError: (error: SynoviaError) => void = report,
  ): Unsubscribe {
    this.#checkRunning();
    const watch = this.watch(path, args);
    let given: unknown;
    const look = (): void => {
      const { current } = watch;
      if (this.#failure) return onError(this.#failure);
      if (current === given || stopped) return;
      given = current;
      if (current.error) onError(current.error);
      else if (current.value !== undefined) callback(current.value as ResultOf<F>);
    };
    let stopped = false;
    const stop = watch.listen(look);
    queueMicrotask(() => callSafely(look));
    return () => {
      stopped = true;
      stop();
    };
  }

  // --- presence

  /**
   * Give the room of a query (`@query(presence=True)`): while somebody listens to it, this client is in it and shows `state`.
   * FunctionError: the arguments or the state cannot be sent.
   */
  presence<F extends string, State = unknown>(path: F, args: ArgsOf<F>, state?: State): Presence<ResultOf<F>, State> {
    this.#checkRunning();
    const check = (shown: unknown): unknown => this.#checked(path, { shown: shown ?? null }).shown;
    return new Presence(this.#sync.rooms, path, this.#checked(path, args ?? {}), check(state), check);
  }

  // --- mutations and actions

  /**
   * Run a mutation exactly once, whatever happens to the connection, and give its result. Typed arrays among the arguments
   * are uploaded. FunctionError: it failed and changed nothing. RequestTimeout: no answer in time; it may still run, and with
   * an outbox it stays in line.
   */
  async mutation<F extends string>(path: F, ...[args, options]: Rest<"mutation", F, MutationOptions<ArgsOf<F>>>): Promise<ResultOf<F>> {
    const { optimisticUpdate, ...rest } = (options ?? {}) as MutationOptions<ArgsOf<F>>;
    const given = (args ?? {}) as ArgsOf<F>;
    const update = optimisticUpdate ? new OptimisticUpdate((store) => optimisticUpdate(store, given)) : null;
    return (await this.#request("mutation", path, given, rest, update)) as ResultOf<F>;
  }

  /**
   * Run an action at most once and give its result; as `mutation` otherwise.
   * ConnectionLost: the connection broke while it was in flight; it may have run.
   */
  async action<F extends string>(path: F, ...[args, options]: Rest<"action", F, RequestOptions>): Promise<ResultOf<F>> {
    return (await this.#request("action", path, args ?? {}, (options ?? {}) as RequestOptions, null)) as ResultOf<F>;
  }

  async #request(kind: RequestKind, path: string, args: unknown, options: RequestOptions, update: OptimisticUpdate | null): Promise<unknown> {
    this.#checkRunning();
    const { signsIn } = this.#credentials;
    const found = sendable(path, () => arraysIn(args));
    if (!found.size) this.#checked(path, args);
    if (update) this.#sync.view.add(update);
    const patient = kind === "mutation" && this.#outbox ? { timeout: null, ...options } : options;
    try {
      return await this.#limited(`the ${kind} ${path}`, patient, (limit) =>
        this.#run(kind, path, args as ValueMap, found, options, update, signsIn, limit),
      );
    } catch (error) {
      if (update) this.#sync.view.drop(update);
      throw error;
    }
  }

  async #run(
    kind: RequestKind, path: string, args: ValueMap, found: Found, options: RequestOptions, update: OptimisticUpdate | null,
    signedIn: boolean | null, limit: Limit,
  ): Promise<unknown> {
    const traceparent = this.#traceparent(); // before anything is waited for: in browsers it is known in the caller's turn only
    // without arrays nothing is waited for, so that requests go out in the order of the calls
    const prepared: Prepared = found.size ? await prepare(args, found) : { args, arrays: [] };
    limit.check();
    this.#checkRunning();
    const wire = this.#checked(path, prepared.args);
    const needsSignIn = this.#credentials.signsInStill(signedIn);
    const kept = kind === "mutation" && this.#outbox !== null;
    if (needsSignIn && this.#credentials.signsIn === false && !kept) throw notSignedIn(kind, path);
    const upload = prepared.arrays.length ? new Upload(prepared.arrays, options.onProgress, limit.extend) : null;
    const needs = this.#showing(wire, new Set(prepared.arrays.map(({ ref }) => ref.key)));
    const request = new Request(this.#sync.numbers.take(), kind, path, wire, upload, needs, needsSignIn);
    request.traceparent = traceparent;
    if (kind === "mutation") this.#keep(request);
    limit.onGivenUp(() => this.#abandon(request));
    this.#sync.request(request, update);
    try {
      return await request.answer.promise;
    } finally {
      for (const query of needs) this.#sync.release(query);
    }
  }

  #traceparent(): string | null {
    let given: unknown;
    callSafely(() => (given = this.#tracing?.()));
    return typeof given === "string" ? given : null;
  }

  #checked(path: string, args: unknown): ValueMap {
    return checked(path, args, this.#sync.maxMessageBytes);
  }

  /** Hold the queries that show the arrays that arguments only refer to. */
  #showing(args: ValueMap, uploaded: ReadonlySet<string>): LiveQuery[] {
    const referred = new Set<string>();
    eachRef(args, (ref) => referred.add(ref.key));
    return [...referred].filter((key) => !uploaded.has(key)).flatMap((key) => this.#sync.showing(key) ?? []);
  }

  #keep(request: Request): void {
    if (!this.#outbox || !this.#recovery) return;
    request.gate = this.#recovery;
    const permit = (request.permit = new OutboxPermit(this.#outbox, this.#outbox.own, request, this.#sync));
    const { signedIn } = this.#sync.requests;
    permit.keep(this.#recovery.open && !request.heldBack && (signedIn || request.needsSignIn === false));
  }

  /** Nobody waits for a request any more: forget it, unless it is kept; what is kept stays in line. */
  #abandon(request: Request): void {
    if (this.#outbox && request.kind === "mutation") return void this.#outbox.follow(request);
    request.answer.fail(new ClientClosed("nobody waits for this any more"));
    this.#sync.drop(request);
  }

  // --- arrays

  /**
   * Fetch an array that a query of this client shows or has shown: a typed array over the bytes that were received. The
   * whole array or a range is flat, row-major; thinned, it is minimum, maximum, minimum, maximum, ...
   * FunctionError: `array_not_found`, `bad_range`, or whatever the query that shows it fails with.
   */
  async array(ref: ArrayRef, options: ArrayOptions = {}): Promise<TypedArray> {
    this.#checkRunning();
    const range = checkedRange(options);
    const query = this.#sync.showing(ref.key);
    if (!query) throw new FunctionError("array_not_found", "no query of this client has shown this array");
    const { downloads } = this.#sync;
    try {
      return await this.#limited("the array", options, async (limit) => {
        const download = new Download(query, ref, range, options.onProgress, limit.extend);
        limit.onGivenUp(() => downloads.drop(download));
        this.#sync.download(download);
        try {
          return (await download.answer.promise) as TypedArray;
        } finally {
          downloads.drop(download); // it may have failed while it runs
        }
      });
    } finally {
      this.#sync.release(query);
    }
  }

  // --- waiting

  // --- files

  /**
   * Upload a file for a mutation or an action that takes one, and give what is sent to it as that argument. What has arrived
   * stays there when the line breaks: the rest is sent once the hub is there again. Aborting the signal gives the upload up.
   * FunctionError: the file is not taken, as `file_too_large` or `file_type_refused`. RequestTimeout: no progress in time.
   */
  async uploadFile(path: string, blob: Blob, options: UploadOptions = {}): Promise<UploadId> {
    this.#checkRunning();
    const credentials = this.#credentials;
    return this.#limited(`the upload for ${path}`, options, async (limit) => {
      // the server may give a token of its own for the program's, which HTTP takes too
      await this.#until(limit, (told) => credentials.changed.add(told), () => !this.auth.isLoading);
      const { FileUpload } = await import("./files.js"); // only pages that upload load it
      const parts = { url: this.url, clock: this.#clock, bearer: () => credentials.bearer() };
      return new FileUpload(parts, blob, options, limit).run(path);
    });
  }

  /** Make an address of a file that a query has given (`ctx.files.url`) a whole one. */
  fileUrl(address: string): string {
    return besideSocket(this.url, address);
  }

  async #limited<T>(what: string, options: CallOptions = {}, run: (limit: Limit) => Promise<T>): Promise<T> {
    const { timeout = this.#timeouts.request, signal } = options;
    const expired = (): string => `${what}: nothing came for ${timeout} ms (${this.trouble ?? `the connection is ${this.state}`})`;
    return limited(this.#clock, timeout, signal, expired, run);
  }

  /** Wait until something holds, looking whenever told, and as long as the client is there. */
  async #until(limit: Limit, listen: (told: () => void) => Unsubscribe, holds: () => boolean): Promise<void> {
    let stop: Unsubscribe = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          try {
            this.#checkRunning();
            if (holds()) resolve();
          } catch (error) {
            reject(error as Error);
          }
        };
        stop = listen(look);
        limit.onGivenUp(stop);
        look();
      });
    } finally {
      stop();
    }
  }
}

/** Ask the server to take no token of this session any more; the connection has become anonymous before. */
async function endSession(url: string, token: string, clock: Clock, attempts = 3): Promise<void> {
  const { ok, status, headers } = await fetch(besideSocket(url, "/auth/sign-out"), { method: "POST", headers: { authorization: `Bearer ${token}` } });
  if (ok || status === 401) return;
  const wait = Number(headers.get("retry-after") ?? NaN) * 1000;
  if (status !== 429 || attempts <= 1 || !(wait <= LONGEST_WAIT)) throw new SynoviaError(`the session could not be ended (HTTP status ${status})`);
  await new Promise<void>((resolve) => void clock.after(wait, resolve));
  return endSession(url, token, clock, attempts - 1);
}

function webSocket(given: unknown): SocketConstructor {
  const found = (given ?? globalThis.WebSocket) as SocketConstructor | undefined;
  if (!found) throw new TypeError("there is no WebSocket here: pass one, as that of the package ws");
  return found;
}

function checkedRange({ start = 0, stop = null, points = null }: ArrayOptions): Range {
  const whole = [start, stop ?? start, points ?? 2].every(Number.isSafeInteger);
  if (!whole || start < 0 || (stop !== null && stop < start)) throw new RangeError(`not a range: ${start} to ${stop}`);
  if (points !== null && points < 2) throw new RangeError("an outline has at least 2 points");
  return { start, stop, points };
}
