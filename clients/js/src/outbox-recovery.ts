/** Sending what earlier pages have left in the outbox, each session on a connection of its own, before anything new. */
import type { Credentials } from "./credentials.js";
import { ConnectionFailed, FunctionError } from "./errors.js";
import { ConnectionLoop, type LoopParts } from "./loop.js";
import type { Leftover, Outbox } from "./outbox.js";
import { OutboxPermit } from "./outbox-permit.js";
import type { ErrorInfo } from "./protocol/errors.js";
import { Request, type Gate } from "./requests.js";
import { StateWatch } from "./state.js";
import { Upload } from "./uploads.js";
import { SyncState } from "./sync-state.js";

type Shared = Pick<LoopParts, "dialer" | "credentials" | "backoff" | "timeouts" | "clock" | "random">;

/** A server that ends the connection with one of these would do so again, for the same message. */
const UNREADABLE = "bad_frame bad_message too_large bad_array_frame array_misordered array_digest_mismatch".split(" ");

/** What was left is sent; new mutations wait until `open`, so that an old one does not undo a new one. */
export class OutboxRecovery implements Gate {
  open = false;
  readonly #loops = new Set<ConnectionLoop>();
  #closed = false;

  /** @param opened Called when the gate opens. */
  constructor(
    readonly outbox: Outbox,
    readonly parts: Shared,
    readonly opened: () => void,
  ) {}

  /** Send everything that was left. */
  async run(): Promise<void> {
    try {
      for (const [session, left] of await this.outbox.leftovers()) {
        await this.outbox.claim(session, () => this.#recover(session, left));
      }
    } finally {
      this.#turn(true);
    }
  }

  /** Stop; what has no answer stays where it is. */
  close(): void {
    this.#closed = true;
    for (const loop of this.#loops) loop.stop();
    this.#turn(true);
  }

  #turn(open: boolean): void {
    this.open = open;
    if (open) this.opened();
  }

  async #recover(session: string, left: readonly Leftover[]): Promise<void> {
    if (left.some(({ signedIn }) => signedIn)) await this.#signedIn(this.parts.credentials);
    if (this.#closed) return;
    this.#turn(false);
    await this.#send(session, left);
  }

  /** Send what a session has left. What a server refuses to read holds up nobody: each is sent alone then. */
  async #send(session: string, left: readonly Leftover[]): Promise<void> {
    const sync = new SyncState(this.parts.clock, this.parts.timeouts, ({ requestId }, error) => {
      if (error?.code !== "unauthenticated") this.outbox.remove(requestId, session);
    });
    const requests = left.map((one) => this.#request(session, one, sync));
    const fatal = await this.#serve(session, sync, requests);
    if (!fatal) return;
    const open = left.filter((_, index) => !requests[index]!.givenUp);
    if (!UNREADABLE.includes(fatal.code)) return sync.end(() => ConnectionFailed.of(fatal));
    if (open.length === 1) return this.outbox.giveUp(session, open[0]!, FunctionError.of(fatal));
    for (const one of open) await this.#send(session, [one]);
  }

  #request(session: string, { requestId, path, args, sentAt, signedIn, arrays }: Leftover, sync: SyncState): Request {
    const request = new Request(requestId, "mutation", path, args, arrays.length ? new Upload(arrays) : null, [], signedIn);
    const permit = (request.permit = new OutboxPermit(this.outbox, session, request, sync));
    permit.takeOver(sentAt);
    void this.outbox.follow(request);
    sync.request(request);
    return request;
  }

  /** Wait until somebody is signed in; new mutations need not wait for that. */
  async #signedIn(credentials: Credentials): Promise<void> {
    if (credentials.state.isAuthenticated) return;
    this.#turn(!credentials.state.isLoading);
    await new Promise<void>((resolve) => {
      const stop = credentials.changed.add(() => {
        if (!credentials.state.isLoading) this.#turn(!credentials.state.isAuthenticated);
        if (!credentials.state.isAuthenticated) return;
        stop();
        resolve();
      });
    });
  }

  /** Keep a connection up until all is answered; give the error by which the server has refused it for good. */
  async #serve(session: string, sync: SyncState, requests: readonly Request[]): Promise<ErrorInfo | null> {
    const sessionId = Uint8Array.from(session.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    let loop!: ConnectionLoop;
    const refused = new Promise<ErrorInfo>((failed) => {
      loop = new ConnectionLoop({ ...this.parts, sessionId, sync, state: new StateWatch(), failed });
    });
    this.#loops.add(loop);
    loop.start();
    const answered = Promise.allSettled(requests.map(({ answer }) => answer.promise));
    const fatal = await Promise.race([refused, answered.then(() => null)]);
    loop.stop();
    this.#loops.delete(loop);
    return fatal;
  }
}
