/** Where the others are: the awareness that editors know, carried by the presence of a room. */
import type { Awareness } from "y-protocols/awareness";
import type { Unsubscribe } from "../callbacks.js";
import type { SynoviaClient } from "../client.js";
import type { Member, Presence } from "../presence.js";

/** Makes what editors show of somebody, as `{ name, color }`, of what the presence query says of them. */
export type Who = (who: never) => Record<string, unknown>;

interface Shown {
  readonly client: number;
  readonly clock: number;
  readonly state: Record<string, unknown> | null;
}

interface Changes {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/** Shows the own state in a room, and the states of those who are there in the awareness. */
export class AwarenessRoom {
  readonly #room: Presence<unknown, unknown>;
  readonly #known = new Map<number, string>();
  #leave: Unsubscribe | null = null;
  readonly #update = ({ added, updated, removed }: Changes): void => {
    if ([added, updated, removed].some((ids) => ids.includes(this.awareness.clientID))) this.#show();
  };

  constructor(
    client: SynoviaClient,
    readonly awareness: Awareness,
    path: string,
    args: object,
    readonly user?: Who,
  ) {
    this.#room = client.presence<string>(path, args as never, this.#own());
    awareness.on("update", this.#update);
  }

  enter(): void {
    this.#show();
    this.#leave ??= this.#room.listen(() => this.#look());
  }

  leave(): void {
    this.#leave?.();
    this.#leave = null;
    this.#become([...this.#known.keys()], new Map());
  }

  close(): void {
    this.leave();
    this.awareness.off("update", this.#update);
  }

  #own(): Shown {
    const { awareness } = this;
    const clock = awareness.meta.get(awareness.clientID)?.clock ?? 0;
    // editors put objects into it that are written as JSON
    return JSON.parse(JSON.stringify({ client: awareness.clientID, clock, state: awareness.getLocalState() })) as Shown;
  }

  #show(): void {
    this.#room.update(this.#own());
  }

  #look(): void {
    const { members } = this.#room.view;
    const found = new Map<number, [Member<unknown, unknown>, Shown]>();
    for (const member of members) {
      if (member.isMe) this.#nameMe(member.who);
      else if (isShown(member.state) && member.state.client !== this.awareness.clientID && !found.has(member.state.client)) {
        found.set(member.state.client, [member, member.state]);
      }
    }
    this.#become([...this.#known.keys()].filter((id) => !found.has(id)), found);
  }

  #nameMe(who: unknown): void {
    if (!this.user || !this.awareness.getLocalState()) return;
    const user = this.user(who as never);
    if (JSON.stringify(this.awareness.getLocalState()?.["user"]) !== JSON.stringify(user)) this.awareness.setLocalStateField("user", user);
  }

  /** Take over what is shown, as an update of the awareness protocol would. */
  #become(removed: number[], found: ReadonlyMap<number, [Member<unknown, unknown>, Shown]>): void {
    const changes: Changes = { added: [], updated: [], removed };
    for (const id of removed) this.#forget(id);
    for (const [id, [member, { clock, state }]] of found) {
      if (state === null) {
        if (this.#known.has(id)) removed.push(id);
        this.#forget(id);
        continue;
      }
      const shown = this.user ? { ...state, user: this.user(member.who as never) } : state;
      this.awareness.meta.set(id, { clock, lastUpdated: Date.now() });
      const text = JSON.stringify(shown);
      if (this.#known.get(id) === text) continue;
      (this.#known.has(id) ? changes.updated : changes.added).push(id);
      this.#known.set(id, text);
      this.awareness.states.set(id, shown);
    }
    if (!changes.added.length && !changes.updated.length && !removed.length) return;
    this.awareness.emit("change", [changes, this]);
    this.awareness.emit("update", [changes, this]);
  }

  #forget(id: number): void {
    this.#known.delete(id);
    this.awareness.states.delete(id);
    this.awareness.meta.delete(id);
  }
}

function isShown(state: unknown): state is Shown {
  const { client, clock, state: own } = (state ?? {}) as Partial<Shown>;
  return Number.isSafeInteger(client) && Number.isSafeInteger(clock) && (own === null || (typeof own === "object" && !Array.isArray(own)));
}
