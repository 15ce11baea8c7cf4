/** Files on their way to the hub: over HTTP beside the socket, piece by piece, carried on after a break. */
import { besideSocket } from "./address.js";
import { callSafely } from "./callbacks.js";
import type { Clock } from "./clock.js";
import { FunctionError } from "./errors.js";
import type { CallOptions, Limit } from "./limit.js";
import type { Value } from "./protocol/values.js";
import type { Progress } from "./uploads.js";

declare const upload: unique symbol;

/** What `uploadFile` gives, and what is sent as the argument of the function that takes the file; at run time a string. */
export type UploadId = string & { readonly [upload]: true };

/** A file in a result. */
export interface StoredFile {
  /** Which content it is, 64 hexadecimal digits. */
  readonly digest: string;
  /** As whoever uploaded it called it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Its media type, as declared. */
  readonly type: string;
  /** In milliseconds since 1970. */
  readonly uploadedAt: number;
}

export interface UploadOptions extends CallOptions {
  /** What to call it; by default as a `File` is called. */
  readonly name?: string;
  /** Its media type; by default that of the blob. */
  readonly type?: string;
  /** Which of the function's arguments, on the wire, if it takes several files. */
  readonly argument?: string;
  /** Called with (bytes sent, bytes in total). */
  readonly onProgress?: Progress;
  /** Asked before each piece (8 MiB at most): as long as it gives a promise, nothing is sent until that is fulfilled. */
  readonly paused?: () => Promise<void> | null;
}

const [LEAST_PIECE, MOST_PIECE] = [1 << 18, 1 << 23];
/** Milliseconds that the hub may take for one piece. */
const PIECE_TIME = 60_000;
/** The longest wait that a hub may ask for. */
const LONGEST_WAIT = 60_000;
/** While an upload is paused, its time limit starts over so often. */
const PAUSE_LOOK = 1000;
const PASSING = [408, 425, 502, 503, 504];

/** A request did not get through; the same may later. */
class Cut extends Error {
  constructor(readonly wait: number) {
    super();
  }
}

/** One file on its way. */
export class FileUpload {
  readonly #gone = new AbortController();
  #offset = 0;
  #furthest = 0;
  #piece = 4 * LEAST_PIECE;
  #wait = 250;

  constructor(
    readonly parts: { readonly url: string; readonly clock: Clock; readonly bearer: () => Promise<string | null> },
    readonly blob: Blob,
    readonly options: UploadOptions,
    readonly limit: Limit,
  ) {
    limit.onGivenUp(() => this.#gone.abort());
  }

  /** Send it for a function, and give what is sent as that function's argument. */
  async run(path: string): Promise<UploadId> {
    const { name = (this.blob as File).name ?? "file", type = this.blob.type || "application/octet-stream", argument } = this.options;
    const begun = await this.#patiently(() => this.#ask("POST", "", JSON.stringify({ path, name, type, size: this.blob.size, argument })));
    const { upload } = ((await begun.json().catch(() => null)) ?? {}) as { upload?: UploadId };
    if (typeof upload !== "string") throw noHub(begun);
    try {
      this.#sent(0);
      while (this.#offset < this.blob.size) {
        await this.#unpaused();
        await this.#patiently(() => this.#send(upload), () => this.#look(upload));
      }
    } catch (error) {
      await this.#ask("DELETE", `/${upload}`, null, {}, new AbortController()).catch(() => undefined);
      throw error;
    }
    return upload;
  }

  async #send(upload: string): Promise<void> {
    const { clock } = this.parts;
    const began = clock.now();
    const [before, furthest] = [this.#offset, this.#furthest];
    const headers = { "upload-offset": String(before), "content-type": "application/octet-stream" };
    try {
      const answer = await this.#ask("PATCH", `/${upload}`, this.blob.slice(this.#offset, this.#offset + this.#piece), headers);
      this.#sent(offsetOf(answer, this.blob.size));
    } catch (error) {
      if (!(error instanceof FunctionError && error.code === "upload_offset_mismatch")) throw error;
      const there = (error.data as { offset?: unknown } | null)?.offset;
      if (!Number.isInteger(there) || (there as number) < 0 || (there as number) > this.blob.size) throw error;
      this.#sent(there as number);
    }
    if (this.#offset <= before) throw new Cut(-1); // it has kept nothing of the piece, or less than it said
    const took = clock.now() - began;
    if (took < 1000) this.#piece = Math.min(MOST_PIECE, 2 * this.#piece);
    else if (took > 8000) this.#piece = Math.max(LEAST_PIECE, this.#piece >> 1);
    if (this.#furthest > furthest) this.#wait = 250;
  }

  /** Ask how much is there; if nobody answers, the next piece will tell. */
  async #look(upload: string): Promise<void> {
    const answer = await this.#ask("HEAD", `/${upload}`).catch((error: unknown) => {
      if (!(error instanceof Cut)) throw error;
    });
    if (answer) this.#sent(offsetOf(answer, this.blob.size));
  }

  /** Do something, again after a while as long as it does not get through. */
  async #patiently<T>(attempt: () => Promise<T>, then: () => Promise<void> = async () => undefined): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        const wait = error.wait > 0 && error.wait <= LONGEST_WAIT ? error.wait : this.#wait;
        this.#wait = Math.min(15_000, 2 * this.#wait);
        await this.#sleep(wait);
        await then();
      }
    }
  }

  /** Wait as long as the caller has paused; that is no time without progress. */
  async #unpaused(): Promise<void> {
    for (let ended = this.options.paused?.(); ended; ended = this.options.paused?.()) {
      this.limit.extend();
      await Promise.race([ended, this.#sleep(PAUSE_LOOK)]);
      this.limit.check();
    }
  }

  async #sleep(wait: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.parts.clock.after(wait, resolve);
      this.#gone.signal.addEventListener("abort", () => (cancel(), resolve()), { once: true });
    });
    this.limit.check();
  }

  #sent(offset: number): void {
    if (offset > this.#furthest) {
      this.#furthest = offset; // only more than ever is progress: one that forgets what it has is not sent to for ever
      this.limit.extend();
    }
    this.#offset = offset;
    callSafely(this.options.onProgress, offset, this.blob.size);
  }

  async #ask(method: string, path: string, body: BodyInit | null = null, headers: Record<string, string> = {}, gone = this.#gone): Promise<Response> {
    const token = await this.parts.bearer();
    if (gone.signal.aborted) this.limit.check();
    const all: Record<string, string> = { "content-type": "application/json", ...headers };
    if (token !== null) all.authorization = `Bearer ${token}`;
    const stop = this.parts.clock.after(PIECE_TIME, () => late.abort());
    const late = new AbortController();
    const both = (): void => late.abort();
    gone.signal.addEventListener("abort", both);
    let answer: Response;
    try {
      answer = await fetch(besideSocket(this.parts.url, `/api/uploads${path}`), { method, body, headers: all, signal: late.signal });
    } catch {
      this.limit.check();
      throw new Cut(-1);
    } finally {
      stop();
      gone.signal.removeEventListener("abort", both);
    }
    return answer.ok ? answer : this.#refused(answer);
  }

  async #refused(answer: Response): Promise<never> {
    const { status, headers } = answer;
    const after = headers.get("retry-after");
    if (PASSING.includes(status) || (status === 429 && after !== null)) throw new Cut(Number(after ?? NaN) * 1000);
    const { error } = ((await answer.json().catch(() => null)) ?? {}) as { error?: { code: string; message: string; data: Value } };
    throw new FunctionError(error?.code ?? (status === 404 ? "upload_not_found" : "http_error"), error?.message ?? `HTTP status ${status}`, error?.data ?? null);
  }
}

/** Read how much of an upload is there. */
function offsetOf(answer: Response, size: number): number {
  const text = answer.headers.get("upload-offset") ?? "";
  if (!/^\d{1,16}$/.test(text) || Number(text) > size) throw noHub(answer);
  return Number(text);
}

function noHub(answer: Response): FunctionError {
  return new FunctionError("http_error", `HTTP status ${answer.status}, but no answer of a hub: does something between here and there answer itself?`, null);
}
