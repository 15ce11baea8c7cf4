/** Who is in a room now: those whom the server tells of, and the state that this client shows them. */
import { Listeners, type Unsubscribe } from "./callbacks.js";
import { FunctionError } from "./errors.js";
import type { ClientSession } from "./protocol/client-session.js";
import type { PresenceUpdated } from "./protocol/events.js";
import type { PresenceEnded } from "./protocol/messages.js";
import type { ValueMap } from "./protocol/values.js";
import { retryAfter, type Throttle } from "./throttle.js";

/** Milliseconds at least between two states that are sent: what is shown in between is seen by nobody. */
const PAUSE = 50;
/** Timers ring up to a millisecond early; what they are for is due then. */
const EARLY = 2;
const RETRY = 2000;
const PASSING = ["overloaded", "server_error", "timeout", "rate_limited"];
const OF_THE_CALLER = ["unauthenticated", "forbidden", "not_found"];

/** Somebody in a room. */
export interface Member<Who = unknown, State = unknown> {
  /** The same as long as their program runs; each window is somebody by itself. */
  readonly id: string;
  /** What the room's query says of them: the server vouches for it. */
  readonly who: Who;
  /** What they show, unchecked. */
  readonly state: State;
  readonly isMe: boolean;
}

/** A room at one moment. */
export interface RoomView<Who = unknown, State = unknown> {
  /** Everybody who is there, this client too. */
  readonly members: readonly Member<Who, State>[];
  /** Whether that is so at present; while the connection is gone, it is what was known last. */
  readonly current: boolean;
  /** Why this client is not in the room; null if it is, or it is not known yet. */
  readonly error: FunctionError | null;
}

const UNKNOWN: RoomView = { members: [], current: false, error: null };

/** Being in the room of a query, from the first who listens to the last. */
export class Presence<Who = unknown, State = unknown> {
  /** The server is still to hear of it; it has; it has ended it. */
  stage: "new" | "in" | "out" = "new";
  stale = false;
  pausedUntil = 0;
  roomId = 0;
  readonly #changed = new Listeners();
  #view: RoomView = UNKNOWN;
  #holds = 0;

  constructor(
    readonly rooms: Rooms,
    readonly path: string,
    readonly args: ValueMap,
    public state: unknown,
    readonly check: (state: unknown) => unknown,
  ) {}

  /** Who is there; the same object as long as nothing changes. */
  get view(): RoomView<Who, State> {
    return this.#view as RoomView<Who, State>;
  }

  /**
   * Be in the room, and be told of each change, until the function that this gives is called; may be used any number of times.
   */
  listen(changed: () => void): Unsubscribe {
    const stop = this.#changed.add(changed);
    if (++this.#holds === 1) this.rooms.join(this);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      stop();
      if (--this.#holds === 0) {
        this.rooms.leave(this);
        this.#view = UNKNOWN;
      }
    };
  }

  /**
   * Show the others another state: a small value, sent at most 20 times a second, the newest in any case.
   * FunctionError: it cannot be sent.
   */
  update(state: State): void {
    this.rooms.show(this, this.check(state));
  }

  /** For the client: it is another view now. */
  become(view: Partial<RoomView>): void {
    this.#view = { ...this.#view, ...view };
    this.#changed.emit();
  }
}

/** All rooms of a client, and what the server has not been told of them yet. */
export class Rooms {
  readonly #rooms = new Map<number, Presence>();
  #left: number[] = [];
  #lastId = 0;

  constructor(
    readonly throttle: Throttle,
    readonly ready: () => void,
  ) {}

  join(room: Presence): void {
    room.roomId = ++this.#lastId;
    room.stage = "new";
    room.stale = false;
    this.#rooms.set(room.roomId, room);
    this.ready();
  }

  leave(room: Presence): void {
    if (!this.#rooms.delete(room.roomId) || room.stage !== "in") return;
    this.#left.push(room.roomId);
    this.ready();
  }

  show(room: Presence, state: unknown): void {
    room.state = state;
    if (room.view.error?.code === "too_large") return this.#again(room);
    if (room.stale || room.stage !== "in") return;
    room.stale = true;
    const wait = room.pausedUntil - this.throttle.clock.now();
    if (wait > 0) this.throttle.after(wait, this.ready);
    else this.ready();
  }

  /** Give what goes out next; null when there is nothing. */
  nextFrame(session: ClientSession): Uint8Array<ArrayBuffer> | null {
    const left = this.#left.shift();
    if (left !== undefined) return session.leave(left);
    const now = this.throttle.clock.now();
    for (const [roomId, room] of this.#rooms) {
      const isNew = room.stage === "new";
      if (!isNew && !(room.stale && now >= room.pausedUntil - EARLY)) continue;
      room.stage = "in";
      room.stale = false;
      room.pausedUntil = now + PAUSE;
      return isNew ? session.join(roomId, room.path, room.args, room.state) : session.show(roomId, room.state);
    }
    return null;
  }

  updated({ roomId, members, me }: PresenceUpdated): void {
    const all = [...members.values()].map(({ id, who, state }) => ({ id, who, state, isMe: id === me }));
    this.#rooms.get(roomId)?.become({ members: all, current: true, error: null });
  }

  /** Take the server's word that this client is not in a room; where that passes by itself, join it again later. */
  ended({ roomId, error }: PresenceEnded): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    room.stage = "out";
    room.stale = false;
    if (PASSING.includes(error.code)) this.throttle.after(Math.max(retryAfter(error) ?? 0, RETRY), () => this.#again(room));
    room.become({ members: [], current: false, error: FunctionError.of(error) });
  }

  #again(room: Presence): void {
    if (this.#rooms.get(room.roomId) !== room || room.stage !== "out") return;
    this.#rooms.delete(room.roomId);
    this.join(room);
  }

  /** It is settled who the client is: it may be let in where it was not before. */
  identified(): void {
    for (const room of [...this.#rooms.values()]) if (OF_THE_CALLER.includes(room.view.error?.code ?? "")) this.#again(room);
  }

  /** The connection is gone: everything is to be joined again on the next one. */
  disconnected(): void {
    this.#left = [];
    for (const room of this.#rooms.values()) {
      room.stage = "new";
      room.stale = false;
      room.become({ current: false });
    }
  }
}
