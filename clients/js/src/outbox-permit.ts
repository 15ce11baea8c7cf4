/** What an outbox says of a mutation: whether it may have been sent. */
import { report } from "./callbacks.js";
import type { Outbox } from "./outbox.js";
import type { Permit, Request } from "./requests.js";
import type { SyncState } from "./sync-state.js";

/**
 * Whether a mutation may go: once the outbox says that it may have been sent. That is written for one connection, and taken
 * back if it has not been sent on it: of what has never been sent, the outbox does not say that it may have run.
 */
export class OutboxPermit implements Permit {
  open = false;
  #writing = false;
  #kept = true;

  /**
   * @param session The session that the mutation belongs to.
   * @param sync Where it is to be sent.
   */
  constructor(
    readonly outbox: Outbox,
    readonly session: string,
    readonly request: Request,
    readonly sync: SyncState,
  ) {}

  /** Keep a new mutation; `atOnce`: it can be sent as soon as it is kept. What cannot be kept goes all the same. */
  keep(atOnce: boolean): void {
    void this.#write(atOnce);
  }

  /** Take over a mutation of an earlier page, which is kept already. */
  takeOver(sentAt: number | null): void {
    this.open = this.request.tried = sentAt !== null;
    this.request.issuedAt = sentAt;
  }

  ask(): void {
    if (!this.open && !this.#writing) void this.#write(true);
  }

  revoke(): void {
    if (!this.open || !this.#kept) return;
    this.open = false;
    void this.#write(false);
  }

  async #write(toSend: boolean): Promise<void> {
    const { epoch, time } = this.sync;
    const sentAt = toSend && epoch !== null ? (time.now() ?? Date.now()) : null;
    this.#writing = true;
    try {
      await this.outbox.save(this.session, this.request, sentAt);
    } catch (error) {
      report(error);
      this.#kept = false;
    }
    this.#writing = false;
    if (this.#kept && sentAt !== null && epoch !== this.sync.epoch) return this.#write(false);
    this.open = sentAt !== null || !this.#kept;
    this.request.issuedAt = sentAt;
    this.sync.ready();
  }
}
