/** The rooms in which a client is present, and whom it knows to be there. */
import { ProtocolError, ResyncNeeded, SessionError } from "./errors.js";
import type { PresenceUpdated } from "./events.js";
import type { PresenceEnded, PresenceMember, PresenceUpdate } from "./messages.js";

interface Room {
  members: ReadonlyMap<string, PresenceMember>;
  me: string | null;
}

/** Applies what the server tells of each room; what still comes of one that was left is ignored. */
export class Rooms {
  readonly #rooms = new Map<number, Room>();
  #last = -1;

  checkNew(roomId: number): void {
    if (roomId <= this.#last) throw new SessionError(`room ${roomId} after room ${this.#last}`);
  }

  checkJoined(roomId: number): void {
    if (!this.#rooms.has(roomId)) throw new SessionError(`this client is not in room ${roomId}`);
  }

  join(roomId: number): void {
    this.#last = roomId;
    this.#rooms.set(roomId, { members: new Map(), me: null });
  }

  leave(roomId: number): void {
    this.#rooms.delete(roomId);
  }

  /** Take the server's word that this client is not in a room. */
  end(message: PresenceEnded): PresenceEnded[] {
    return this.#find(message.roomId) && this.#rooms.delete(message.roomId) ? [message] : [];
  }

  /** Apply what has changed. ResyncNeeded: it does not fit what is known of the room. */
  update({ roomId, here, moved, left, whole, me }: PresenceUpdate): PresenceUpdated[] {
    const room = this.#find(roomId);
    if (!room) return [];
    const members = new Map(whole ? [] : room.members);
    for (const id of left) if (!members.delete(id)) throw new ResyncNeeded(`${id} leaves room ${roomId}, but was not there`);
    for (const member of here) members.set(member.id, member);
    for (const { id, state } of moved) {
      const member = members.get(id);
      if (!member) throw new ResyncNeeded(`${id} moves in room ${roomId}, but is not there`);
      members.set(id, { ...member, state });
    }
    room.me = me ?? room.me;
    room.members = members;
    if (room.me === null) throw new ProtocolError("bad_message", `the first update of room ${roomId} does not say who this is`);
    return [{ type: "PresenceUpdated", roomId, members, me: room.me }];
  }

  #find(roomId: number): Room | undefined {
    if (roomId > this.#last) throw new ProtocolError("bad_message", `room ${roomId} was never joined`);
    return this.#rooms.get(roomId);
  }
}
