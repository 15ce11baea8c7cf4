/** Who is in a room: what the client sends of it, when, and what becomes of it when the line or the sign-in goes. */
import { expect, it } from "vitest";
import type { Member } from "../src/index.js";
import type { PresenceMember, PresenceUpdate } from "../src/protocol/messages.js";
import { Peer, type PeerSocket } from "./peer.js";
import { settled } from "./until.js";

function member(id: string, state: unknown = null): PresenceMember {
  return { type: "PresenceMember", id, who: { name: id }, state };
}

function tell(socket: PeerSocket, update: Partial<PresenceUpdate> & { roomId: number }): void {
  socket.tell({ type: "PresenceUpdate", here: [], moved: [], left: [], whole: false, me: null, ...update });
}

function end(socket: PeerSocket, roomId: number, code: string, data: unknown = null): void {
  socket.tell({ type: "PresenceEnded", roomId, error: { code, message: code, data } });
}

const shown = (members: readonly Member[]): [string, unknown, boolean][] => members.map(({ id, state, isMe }) => [id, state, isMe]);

/** A client in a room, alone. */
async function inRoom(): Promise<{ peer: Peer; socket: PeerSocket; room: ReturnType<Peer["client"]["presence"]>; leave: () => void }> {
  const peer = new Peer();
  const room = peer.client.presence("documents:room", { document: "d" }, { cursor: 1 });
  const leave = room.listen(() => undefined);
  const socket = await peer.accept();
  expect(socket.all("PresenceJoin")).toMatchObject([{ roomId: 1, path: "documents:room", args: { document: "d" }, state: { cursor: 1 } }]);
  tell(socket, { roomId: 1, here: [member("me", { cursor: 1 })], whole: true, me: "me" });
  return { peer, socket, room, leave };
}

it("knows who comes, moves and goes, and which of them it is", async () => {
  const { socket, room } = await inRoom();
  tell(socket, { roomId: 1, here: [member("you")] });
  const before = room.view;
  expect(shown(before.members)).toEqual([["me", { cursor: 1 }, true], ["you", null, false]]);
  tell(socket, { roomId: 1, moved: [{ type: "PresenceMove", id: "you", state: 7 }] });
  expect(shown(room.view.members)).toEqual([["me", { cursor: 1 }, true], ["you", 7, false]]);
  expect(room.view).not.toBe(before);
  tell(socket, { roomId: 1, left: ["you"] });
  expect(shown(room.view.members)).toEqual([["me", { cursor: 1 }, true]]);
});

it("sends the first state at once, and of those that follow the newest after a pause", async () => {
  const { peer, socket, room } = await inRoom();
  peer.clock.advance(50);
  for (let cursor = 2; cursor <= 100; cursor++) room.update({ cursor });
  await settled();
  expect(socket.all("PresenceState")).toMatchObject([{ roomId: 1, state: { cursor: 100 } }]);
  room.update({ cursor: 101 });
  room.update({ cursor: 102 });
  await settled();
  expect(socket.all("PresenceState")).toHaveLength(1);
  peer.clock.advance(50);
  await settled();
  expect(socket.all("PresenceState").map(({ state }) => state)).toEqual([{ cursor: 100 }, { cursor: 102 }]);
});

it("joins again on the next connection, showing the newest state, and shows meanwhile what it knew", async () => {
  const { peer, room } = await inRoom();
  room.update({ cursor: 9 });
  const socket = await peer.reconnect();
  expect(room.view).toMatchObject({ current: false, error: null });
  expect(room.view.members).toHaveLength(1);
  socket.welcome();
  await settled();
  expect(socket.all("PresenceJoin")).toMatchObject([{ roomId: 1, state: { cursor: 9 } }]);
  tell(socket, { roomId: 1, here: [member("me", { cursor: 9 }), member("you")], whole: true, me: "me" });
  expect(room.view.current).toBe(true);
  expect(room.view.members).toHaveLength(2);
});

it("leaves when the last who listens stops, and joins under a new number when one listens again", async () => {
  const { socket, room, leave } = await inRoom();
  const other = room.listen(() => undefined);
  leave();
  await settled();
  expect(socket.all("PresenceLeave")).toEqual([]);
  other();
  other();
  await settled();
  expect(socket.all("PresenceLeave")).toMatchObject([{ roomId: 1 }]);
  expect(room.view.members).toEqual([]);
  tell(socket, { roomId: 1, here: [member("late")] });
  expect(room.view.members).toEqual([]);
  room.listen(() => undefined);
  await settled();
  expect(socket.last("PresenceJoin")).toMatchObject({ roomId: 2 });
});

it("says why it is out, sends nothing more, and joins again where that passes", async () => {
  const { peer, socket, room } = await inRoom();
  end(socket, 1, "overloaded", { retryAfter: 5 });
  expect(room.view).toMatchObject({ members: [], current: false, error: { code: "overloaded" } });
  room.update({ cursor: 2 });
  peer.clock.advance(4_999);
  await settled();
  expect(socket.all("PresenceState")).toEqual([]);
  expect(socket.all("PresenceJoin")).toHaveLength(1);
  peer.clock.advance(1);
  await settled();
  expect(socket.last("PresenceJoin")).toMatchObject({ roomId: 2, state: { cursor: 2 } });
});

it("is let in after signing in where it was refused before, and not before that", async () => {
  const { peer, socket, room } = await inRoom();
  end(socket, 1, "unauthenticated");
  peer.clock.advance(9_000);
  await settled();
  expect(socket.all("PresenceJoin")).toHaveLength(1);
  const signedIn = peer.client.authenticate("token");
  await settled();
  socket.authenticated();
  await signedIn;
  await settled();
  expect(socket.last("PresenceJoin")).toMatchObject({ roomId: 2 });
  tell(socket, { roomId: 2, here: [member("me")], whole: true, me: "me" });
  expect(room.view).toMatchObject({ current: true, error: null });
});

it("tries a smaller state after one that was too large", async () => {
  const { socket, room } = await inRoom();
  end(socket, 1, "too_large");
  room.update({ cursor: 1 });
  await settled();
  expect(socket.last("PresenceJoin")).toMatchObject({ roomId: 2, state: { cursor: 1 } });
});

it("refuses what cannot be sent where it is given", async () => {
  const { room, peer } = await inRoom();
  expect(() => room.update(Symbol("no"))).toThrow("cannot be sent");
  expect(() => peer.client.presence("a:b", {}, () => 1)).toThrow("cannot be sent");
});
