/** Sending what earlier pages have left in the outbox, each session on a connection of its own, before anything new. */
import type { Credentials } from "./credentials.js";
import { ConnectionFailed, type SynoviaError } from "./errors.js";
import { ConnectionLoop, type LoopParts } from "./loop.js";
import type { Leftover, Outbox } from "./outbox.js";
import { Request, type Gate } from "./requests.js";
import { StateWatch } from "./state.js";
import { Upload } from "./uploads.js";
import { SyncState } from "./sync-state.js";

type Shared = Pick<LoopParts, "dialer" | "credentials" | "backoff" | "timeouts" | "clock" | "random">;

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
    const sync = new SyncState(this.parts.clock, this.parts.timeouts, ({ requestId }, error) => {
      if (error?.code !== "unauthenticated") this.outbox.remove(requestId, session);
    });
    const requests = left.map((one) => requestOf(one));
    const answers = requests.map((request) => this.outbox.follow(request));
    for (const request of requests) sync.request(request);
    await this.#serve(session, sync, Promise.all(answers));
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

  async #serve(session: string, sync: SyncState, answered: Promise<unknown>): Promise<void> {
    const sessionId = Uint8Array.from(session.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    const end = (error: () => SynoviaError) => sync.end(error);
    const failed: LoopParts["failed"] = (error) => end(() => ConnectionFailed.of(error));
    const loop = new ConnectionLoop({ ...this.parts, sessionId, sync, state: new StateWatch(), failed });
    this.#loops.add(loop);
    loop.start();
    await answered;
    loop.stop();
    this.#loops.delete(loop);
  }
}

function requestOf({ requestId, path, args, issuedAt, arrays }: Leftover): Request {
  const upload = arrays.length ? new Upload(arrays) : null;
  const request = new Request(requestId, "mutation", path, args, upload, [], [], issuedAt);
  request.tried = true;
  return request;
}
