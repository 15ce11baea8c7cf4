/** What an outbox says of a mutation: whether it may have run. And what it holds that cannot be sent holds up nobody. */
import { describe, expect, it } from "vitest";
import { localStorageOutbox, type OutboxStorage, type Recovered } from "../src/index.js";
import { pack } from "../src/protocol/pack.js";
import { unpack } from "../src/protocol/unpack.js";
import { browserStorage } from "./browser-storage.js";
import { Peer, unattended } from "./peer.js";
import { settled } from "./until.js";

const DAY = 24 * 3600_000;
const NOW = 1_700_000_000_000;
const SESSION = "00112233445566778899aabbccddeeff";

function outbox(storage: OutboxStorage, recovered: Recovered[] = []) {
  return { outbox: { name: "test", storage, onRecovered: (outcome: Recovered) => recovered.push(outcome) } };
}

/** Give path and time of sending of all that a storage holds. */
function kept(items: Storage): unknown[] {
  const storage = localStorageOutbox(items);
  return Object.keys(items).map((key) => {
    const [path, , sentAt] = unpack(storage.get(key) as Uint8Array) as [string, unknown, number | null];
    return [path, sentAt];
  });
}

/** Keep a mutation as an earlier page has. */
function leave(items: Storage, number: number, path: string, args: unknown, sentAt: number | null = null): void {
  const bytes = args instanceof Uint8Array ? args : pack(args);
  void localStorageOutbox(items).set(`synovia:test:${SESSION}:${number}`, pack([path, bytes, sentAt, false, [], 2]));
}

describe("only what may have run can expire", () => {
  it("sends as new what was never sent, however late", async () => {
    const items = browserStorage();
    const first = new Peer(outbox(localStorageOutbox(items)));
    await first.accept(NOW);
    first.socket.cut();
    unattended(first.client.mutation("m", {}));
    await settled();
    first.client.close();
    await settled();
    expect(kept(items)).toEqual([["m", null]]);

    const second = new Peer(outbox(localStorageOutbox(items)));
    await settled();
    await second.accept(NOW + 30 * DAY);
    expect(second.socket.last("Mutation")).toMatchObject({ retry: false, issuedAt: null });
    expect(kept(items)).toEqual([["m", NOW + 30 * DAY]]);
  });

  it("says when it was sent by the server's clock, before it is sent", async () => {
    const items = browserStorage();
    const storage = localStorageOutbox(items);
    const first = new Peer(outbox(storage));
    first.clock.epoch = 0;
    await first.accept(NOW);
    const { socket } = first;
    const send = socket.send.bind(socket);
    const before: unknown[] = [];
    socket.send = (frame) => (before.push(...kept(items)), send(frame));
    unattended(first.client.mutation("m", {}));
    await settled();
    expect(socket.all("Mutation")).toHaveLength(1);
    expect(before).toEqual([["m", NOW]]);
    first.client.close();

    const second = new Peer(outbox(storage));
    await settled();
    await second.accept(NOW + DAY);
    expect(second.socket.last("Mutation")).toMatchObject({ retry: true, issuedAt: NOW });
  });

  it("takes back what had to wait for something else when the connection broke", async () => {
    const items = browserStorage();
    const peer = new Peer({ ...outbox(localStorageOutbox(items)), token: "token" });
    await peer.accept(NOW);
    unattended(peer.client.mutation("m", {})); // it is not known yet as whom it would run
    await settled();
    expect(kept(items)).toEqual([["m", null]]);
    peer.socket.cut();
    peer.client.close();
    await settled();
    expect(kept(items)).toEqual([["m", null]]);
  });

  it("takes an entry of the first format for one that may have been sent", async () => {
    const items = browserStorage();
    void localStorageOutbox(items).set(`synovia:test:${SESSION}:3`, pack(["m", pack({}), NOW, false, []]));
    const peer = new Peer(outbox(localStorageOutbox(items)));
    await settled();
    await peer.accept(NOW + DAY);
    expect(peer.socket.last("Mutation")).toMatchObject({ requestId: 3, retry: true, issuedAt: NOW });
  });
});

describe("what cannot be sent", () => {
  const BAD: Record<string, [unknown, string]> = {
    "a Date after the year 9999": [{ day: new Date("+010000-01-01T00:00:00Z") }, "invalid_arguments"],
    "a Date before the year 1": [{ day: new Date("-000001-01-01T00:00:00Z") }, "invalid_arguments"],
    "an invalid Date": [{ day: new Date(NaN) }, "invalid_arguments"],
    "a lone surrogate": [{ text: "\ud800" }, "invalid_arguments"],
    "a value that is too large": [{ text: "x".repeat(1 << 20) }, "too_large"],
    "too many values": [{ items: Array(100_000).fill(0) }, "too_large"],
  };

  it.each(Object.entries(BAD))("%s is refused before it is kept", async (_, [args, code]) => {
    const items = browserStorage();
    const peer = new Peer(outbox(localStorageOutbox(items)));
    const socket = await peer.accept();
    await expect(peer.client.mutation("m", args)).rejects.toMatchObject({ name: "FunctionError", code });
    await expect(peer.client.query("q", args)).rejects.toMatchObject({ code });
    await expect(peer.client.action("a", args)).rejects.toMatchObject({ code });
    expect(Object.keys(items)).toEqual([]);
    expect(socket.closedWith).toBeUndefined();
  });

  it("is a path that is none, too", async () => {
    const peer = new Peer(outbox(localStorageOutbox(browserStorage())));
    await expect(peer.client.mutation("\ud800", {})).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("takes the years 1 to 9999", async () => {
    const peer = new Peer();
    const days = [new Date("0001-01-01T00:00:00Z"), new Date("9999-12-31T23:59:59.999Z")];
    unattended(peer.client.mutation("m", { days }));
    await peer.accept();
    expect(peer.socket.last("Mutation").args).toEqual({ days });
  });

  const YEAR_10000 = Uint8Array.of(0x81, 0xa1, 0x64, 0xc7, 12, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0xff, 0xf4, 0x41, 0x80);
  it.each([
    ["bytes that are no arguments", Uint8Array.of(0xc1)],
    ["a Date after the year 9999", YEAR_10000],
    ["a list", []],
    ["more than a message holds", { text: "x".repeat(1 << 20) }],
  ])("and was kept by an earlier page is told, and holds up nobody: %s", async (_, args) => {
    const items = browserStorage();
    leave(items, 1, "bad", args);
    leave(items, 2, "good", { n: 2 });
    const recovered: Recovered[] = [];
    const peer = new Peer(outbox(localStorageOutbox(items), recovered));
    unattended(peer.client.mutation("new", {}));
    await settled();
    for (const socket of peer.sockets) (socket.open(), socket.welcome(NOW));
    await settled();
    const [own, old] = peer.sockets;
    expect(old!.all("Mutation")).toMatchObject([{ requestId: 2, path: "good" }]);
    old!.done(2, 5, "done");
    await settled();
    expect(own!.all("Mutation")).toMatchObject([{ path: "new" }]);
    expect(recovered).toMatchObject([{ path: "bad", error: { name: "FunctionError" } }, { path: "good", result: "done" }]);
    expect(kept(items)).toMatchObject([["new", expect.anything()]]);
  });

  it("by the server's own limits is found, and the others run", async () => {
    const items = browserStorage();
    for (const [index, path] of ["first", "bad", "last"].entries()) leave(items, index + 1, path, {});
    const recovered: Recovered[] = [];
    const peer = new Peer(outbox(localStorageOutbox(items), recovered));
    await settled();
    const refuse = () => peer.socket.tell({ type: "FatalError", error: { code: "bad_message", message: "what is this", data: null }, retryAfter: null });
    await peer.accept(NOW);
    expect(peer.socket.all("Mutation")).toHaveLength(3);
    refuse();
    for (const path of ["first", "bad", "last"]) {
      await settled();
      await peer.accept(NOW);
      expect(peer.socket.all("Mutation")).toMatchObject([{ path }]);
      if (path === "bad") refuse();
      else peer.socket.done(peer.socket.last("Mutation").requestId, 5, path);
    }
    await settled();
    expect(recovered).toMatchObject([{ path: "first", result: "first" }, { path: "bad", error: { code: "bad_message" } }, { path: "last", result: "last" }]);
    expect(Object.keys(items)).toEqual([]);
    expect(peer.client.state).toBe("connecting"); // its own connection has not been answered here, and has not failed
  });

  it("at a server that takes less than others fails alone, and is forgotten", async () => {
    const items = browserStorage();
    const peer = new Peer(outbox(localStorageOutbox(items)));
    const call = peer.client.mutation("m", { text: "x".repeat(5_000) });
    const failed = expect(call).rejects.toMatchObject({ code: "too_large" });
    peer.socket.open();
    peer.socket.tell({ type: "Welcome", version: 1, maxMessageBytes: 1_000, idleTimeout: 30, serverTime: NOW });
    await failed;
    await settled();
    expect(Object.keys(items)).toEqual([]);
    await expect(peer.client.mutation("m", { text: "x".repeat(5_000) })).rejects.toMatchObject({ code: "too_large" });
  });
});
