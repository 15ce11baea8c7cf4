/** One connection after the other: what is taken along, and what happens when frames are lost or doubled. */
import { describe, expect, it } from "vitest";
import { ArrayRef, ConnectionFailed, FunctionError, type OptimisticStore } from "../src/index.js";
import { ClientSession } from "../src/protocol/client-session.js";
import { encode } from "../src/protocol/codec.js";
import { digest } from "../src/protocol/digest.js";
import { MapEdit } from "../src/protocol/edits.js";
import type { QueryUpdate, ServerMessage } from "../src/protocol/messages.js";
import { patch, Peer, unattended, value, type PeerSocket } from "./peer.js";
import { settled, until } from "./until.js";

const JOURNAL = Uint8Array.of(7, 8);
const ONE = { _id: "1", text: "one" };

/** A client that holds query 1, and everything that it was shown. */
async function holding(first: unknown = [ONE], journal: Uint8Array | null = null) {
  const peer = new Peer();
  const shown: unknown[] = [];
  peer.client.onUpdate("list", { of: 1 }, (result) => shown.push(result));
  const socket = await peer.accept();
  socket.transition(5, value(1, first, journal));
  await settled();
  return { peer, socket, shown };
}

/** Welcome a connection that continues from `ts`. */
async function resumed(socket: PeerSocket, ts: bigint, ...updates: QueryUpdate[]): Promise<void> {
  socket.welcome();
  socket.ts = ts;
  if (updates.length) socket.transition(ts, ...updates);
  await settled();
}

describe("a connection", () => {
  it("begins with Connect, the token and the query set, before the server has said a word", async () => {
    const peer = new Peer({ token: "secret" });
    unattended(peer.client.query("a:b", { x: 1 }));
    peer.socket.open();
    await settled();
    expect(peer.socket.received.map((message) => message.type)).toEqual(["Connect", "Authenticate", "Ping", "ModifyQuerySet"]);
    expect(peer.socket.last("Connect")).toMatchObject({ version: 1, newestTs: null });
    expect(peer.socket.last("ModifyQuerySet").add).toMatchObject([{ queryId: 1, path: "a:b", args: { x: 1 }, digest: null }]);
  });

  it("asks for the same query once, whatever the order of its arguments' keys", async () => {
    const peer = new Peer();
    peer.client.onUpdate("a:b", { x: 1, y: 2 }, () => undefined);
    const stop = peer.client.onUpdate("a:b", { y: 2, x: 1 }, () => undefined);
    const socket = await peer.accept();
    expect(socket.last("ModifyQuerySet").add).toHaveLength(1);
    stop();
    await settled();
    expect(socket.all("ModifyQuerySet")).toHaveLength(1);
  });

  it("leaves a query that nobody listens to, and not one that somebody takes again at once", async () => {
    const { peer, socket } = await holding();
    const stop = peer.client.onUpdate("b:c", {}, () => undefined);
    await settled();
    stop();
    peer.client.onUpdate("b:c", {}, () => undefined)();
    const again = peer.client.onUpdate("b:c", {}, () => undefined);
    await settled();
    expect(socket.all("ModifyQuerySet").flatMap((message) => message.remove)).toEqual([]);
    again();
    await settled();
    expect(socket.last("ModifyQuerySet").remove).toEqual([2]);
  });
});

describe("a session", () => {
  it("understands the end before its own first word: a server may be stopping, or tired of waiting", () => {
    const session = new ClientSession(new Uint8Array(16));
    const end: ServerMessage = { type: "FatalError", error: { code: "stopping", message: "", data: null }, retryAfter: 1 };
    expect(session.receive(encode(end))).toEqual([end]);
    expect(session.state).toBe("CLOSED");
  });
});

describe("a query that is asked once", () => {
  it("is asked anew though a subscription holds it", async () => {
    const { peer, socket, shown } = await holding("before");
    const asking = peer.client.query("list", { of: 1 });
    await settled();
    const [asked] = socket.last("ModifyQuerySet").add;
    expect(asked).toMatchObject({ queryId: 2, path: "list", args: { of: 1 }, digest: null });
    socket.transition(6, value(1, "after"), value(2, "after"));
    expect(await asking).toBe("after");
    expect(shown).toEqual(["before", "after"]);
    await settled();
    expect(socket.last("ModifyQuerySet").remove).toEqual([2]);
  });

  it("is asked anew right after its answer, and does not answer with what was under way", async () => {
    const peer = new Peer();
    const first = peer.client.query("list");
    const socket = await peer.accept();
    const late = peer.client.query("list");
    await settled();
    expect(socket.all("ModifyQuerySet").flatMap(({ add }) => add.map(({ queryId }) => queryId))).toEqual([1, 2]);
    socket.transition(5, value(1, "before"));
    expect(await first).toBe("before");
    socket.transition(6, value(2, "after"));
    expect(await late).toBe("after");
    const again = peer.client.query("list");
    await settled();
    expect(socket.last("ModifyQuerySet")).toMatchObject({ add: [{ queryId: 3 }] });
    socket.transition(7, value(3, "newest"));
    expect(await again).toBe("newest");
  });

  it("is one question for all who ask before it is sent", async () => {
    const peer = new Peer();
    const all = [1, 2, 3].map(() => peer.client.query("list"));
    const socket = await peer.accept();
    expect(socket.last("ModifyQuerySet").add).toHaveLength(1);
    socket.transition(5, value(1, "once"));
    expect(await Promise.all(all)).toEqual(["once", "once", "once"]);
  });

  it("is not what optimistic updates change", async () => {
    const { peer } = await holding("before");
    unattended(peer.client.query("list", { of: 1 }));
    let seen: unknown;
    const optimisticUpdate = (store: OptimisticStore): void => void (seen = store.getAllQueries("list"));
    unattended(peer.client.mutation("m", {}, { optimisticUpdate }));
    expect(seen).toEqual([{ args: { of: 1 }, value: "before" }]);
  });
});

describe("resuming", () => {
  it("offers what is held, with its digest and journal, and shows nothing new when it is unchanged", async () => {
    const { peer, shown } = await holding([ONE], JOURNAL);
    const next = await peer.reconnect();
    expect(next.last("Connect").newestTs).toBe(5n);
    expect(next.last("ModifyQuerySet").add).toMatchObject([{ queryId: 1, digest: digest([ONE]), journal: JOURNAL }]);
    await resumed(next, 5n, { type: "QueryUnchanged", queryId: 1 });
    expect(peer.client.state).toBe("connected");
    expect(shown).toEqual([[ONE]]);
  });

  it("applies patches to what is held", async () => {
    const { peer, shown } = await holding({ a: ONE, b: 1 });
    const next = await peer.reconnect();
    await resumed(next, 5n);
    next.transition(9, patch(1, new MapEdit({ b: 2 })));
    expect(shown.at(-1)).toEqual({ a: ONE, b: 2 });
    expect((shown[1] as { a: object }).a).toBe((shown[0] as { a: object }).a);
  });

  it("shows nothing until all results from before are of one instant again", async () => {
    const { peer, shown } = await holding(1);
    const others: unknown[] = [];
    peer.client.onUpdate("other", {}, (result) => others.push(result));
    await settled();
    peer.socket.transition(6, value(2, 1));
    const next = await peer.reconnect();
    await resumed(next, 6n);
    next.transition(9, value(1, 2));
    await settled();
    expect([shown.at(-1), others.at(-1)]).toEqual([1, 1]);
    next.transition(9, value(2, 2));
    expect([shown.at(-1), others.at(-1)]).toEqual([2, 2]);
  });

  it("does not wait for ever for a result from before", async () => {
    const { peer, shown } = await holding(1);
    const others: unknown[] = [];
    peer.client.onUpdate("other", {}, (result) => others.push(result));
    await settled();
    peer.socket.transition(6, value(2, 1));
    const next = await peer.reconnect();
    await resumed(next, 6n);
    next.transition(9, value(1, 2));
    peer.clock.advance(4_999);
    expect(shown.at(-1)).toBe(1);
    peer.clock.advance(1);
    expect([shown.at(-1), others.at(-1)]).toEqual([2, 1]);
  });
});

describe("what does not continue", () => {
  const LATER: Record<string, (socket: PeerSocket) => void> = {
    "a transition that was lost": (socket) => {
      socket.ts = 6n;
      socket.transition(7, value(1, "guessed"));
    },
    "a transition that came twice": (socket) => {
      const again = { type: "Transition" as const, fromTs: 5n, toTs: 6n, updates: [value(1, 2)], number: 2 };
      socket.tell(again);
      socket.tell(again);
    },
    "a transition lost while time stood still": (socket) =>
      socket.tell({ type: "Transition", fromTs: 5n, toTs: 5n, updates: [value(1, "guessed")], number: 3 }),
    "a patch that does not fit": (socket) => socket.transition(6, patch(1, new MapEdit({}, ["not there"]))),
    "a transition of an older database": (socket) => socket.tell({ type: "Transition", fromTs: 0n, toTs: 3n, updates: [value(1, "old")], number: 2 }),
  };

  it.each(Object.entries(LATER))("%s: the client begins anew, at no instant, and never guesses", async (_, happens) => {
    const { peer, socket, shown } = await holding([ONE]);
    happens(socket);
    const now = peer.client.watch("list", { of: 1 }).current.value;
    expect(shown.flat()).not.toContain("guessed");
    expect(socket.closedWith).toBe(4400);
    const { length } = peer.sockets;
    while (peer.sockets.length === length) peer.clock.advance(50);
    peer.socket.open();
    await settled();
    expect(peer.socket.last("Connect")).toMatchObject({ newestTs: null, session: socket.last("Connect").session });
    expect(peer.socket.last("ModifyQuerySet").add).toMatchObject([{ queryId: 1, digest: digest(now), journal: null }]);
    peer.socket.welcome();
    const { length: before } = shown;
    peer.socket.transition(8, value(1, [{ ...ONE }, { _id: "2", text: "two" }]));
    expect(shown).toHaveLength(before + 1);
    expect(shown.at(-1)).toEqual([ONE, { _id: "2", text: "two" }]);
    const known = (shown.at(-2) as unknown[])[0];
    if (typeof known === "object") expect((shown.at(-1) as unknown[])[0]).toBe(known); // the same row, sent whole
  });
});

describe("requests", () => {
  it("sends a mutation again under its number, and an action not", async () => {
    const { peer, socket } = await holding();
    const mutation = peer.client.mutation("m", {});
    const lost = expect(peer.client.action("a", {})).rejects.toMatchObject({ name: "ConnectionLost", code: "connection_lost" });
    await settled();
    expect(socket.last("Mutation")).toMatchObject({ requestId: 1, retry: false, issuedAt: null });
    const next = await peer.reconnect();
    await lost;
    await resumed(next, 5n, { type: "QueryUnchanged", queryId: 1 });
    expect(next.all("Mutation")).toMatchObject([{ requestId: 1, retry: true }]);
    expect(next.all("Action")).toEqual([]);
    next.done(1, 6, "once");
    expect(await mutation).toBe("once");
  });

  it("says of a retry when it was first sent, by the server's clock, whatever our own clock says", async () => {
    const peer = new Peer();
    peer.clock.epoch = 0;
    unattended(peer.client.mutation("m", {}));
    peer.clock.advance(500);
    await peer.accept(9_000_000);
    expect(peer.socket.last("Mutation")).toMatchObject({ retry: false, issuedAt: null });
    peer.clock.epoch = 1_700_000_000_000; // it is set right
    await peer.reconnect();
    peer.socket.welcome(9_000_600);
    await settled();
    expect(peer.socket.last("Mutation")).toMatchObject({ retry: true, issuedAt: 9_000_000 });
  });

  it("sends mutations in the order of the calls, again after a break", async () => {
    const peer = new Peer();
    for (const path of ["a", "b", "c"]) unattended(peer.client.mutation(path, {}));
    await peer.accept();
    expect(peer.socket.all("Mutation").map((message) => message.path)).toEqual(["a", "b", "c"]);
    peer.socket.done(1, 1);
    await peer.reconnect();
    peer.socket.welcome();
    await settled();
    expect(peer.socket.all("Mutation").map((message) => message.path)).toEqual(["b", "c"]);
  });

  it("gives up after a time without an answer", async () => {
    const peer = new Peer();
    const call = peer.client.mutation("m", {}, { timeout: 2_000 });
    peer.clock.advance(2_000);
    await expect(call).rejects.toMatchObject({ name: "RequestTimeout", code: "timeout" });
    await peer.accept();
    expect(peer.socket.all("Mutation")).toEqual([]);
  });

  it("fails what is asked of a closed client, and what waits for an answer then", async () => {
    const peer = new Peer();
    const call = expect(peer.client.query("x")).rejects.toMatchObject({ name: "ClientClosed", code: "client_closed" });
    peer.client.close();
    await call;
    await expect(peer.client.query("x")).rejects.toMatchObject({ name: "ClientClosed", code: "client_closed" });
  });

  it("refuses alone what the server would not take", async () => {
    const { peer, socket } = await holding();
    await expect(peer.client.mutation("m", { text: "x".repeat(2 << 20) })).rejects.toMatchObject({ code: "too_large" });
    await expect(peer.client.mutation("m", { f: () => 1 })).rejects.toBeInstanceOf(FunctionError);
    expect(socket.closedWith).toBeUndefined();
  });

  it("copies arguments when called", async () => {
    const peer = new Peer();
    const args = { text: "then" };
    unattended(peer.client.mutation("m", args));
    args.text = "later";
    await peer.accept();
    expect(peer.socket.last("Mutation").args).toEqual({ text: "then" });
  });
});

describe("staying alive", () => {
  it("pings, and gives a silent connection up", async () => {
    const { peer, socket } = await holding();
    peer.clock.advance(10_000);
    await settled();
    expect(socket.all("Ping")).toHaveLength(1);
    socket.tell({ type: "Pong", nonce: socket.last("Ping").nonce });
    peer.clock.advance(10_000);
    await settled();
    peer.clock.advance(10_000);
    expect(socket.closedWith).toBe(1000);
    expect(peer.client.state).toBe("reconnecting");
    expect(peer.client.trouble).toMatch(/no sign of life/);
  });

  it("does not give up a line that is only slow", async () => {
    const { peer, socket } = await holding();
    peer.clock.advance(10_000);
    await settled();
    for (const left of [100_000, 50_000, 1_000]) {
      socket.bufferedAmount = left;
      peer.clock.advance(10_000);
      await settled();
    }
    expect(socket.closedWith).toBeUndefined();
    peer.clock.advance(10_000);
    expect(socket.closedWith).toBe(1000);
  });

  it("waits for a welcome only so long, and for the handshake", async () => {
    const peer = new Peer();
    peer.clock.advance(10_000);
    expect(peer.sockets[0]!.closedWith).toBe(1000);
    peer.clock.advance(1_000);
    peer.socket.open();
    peer.clock.advance(10_000);
    expect(peer.sockets[1]!.closedWith).toBe(1000);
    expect(peer.client.state).toBe("connecting");
  });

  it("comes back when the server says, and not at all when it says that", async () => {
    const peer = new Peer();
    const socket = await peer.accept();
    socket.tell({ type: "FatalError", error: { code: "stopping", message: "", data: null }, retryAfter: 3 });
    peer.clock.advance(2_999);
    expect(peer.sockets).toHaveLength(1);
    peer.clock.advance(1);
    expect(peer.sockets).toHaveLength(2);
    peer.socket.open();
    const call = peer.client.query("x");
    peer.socket.tell({ type: "FatalError", error: { code: "unsupported_version", message: "too old", data: null }, retryAfter: null });
    await expect(call).rejects.toBeInstanceOf(ConnectionFailed);
    expect(peer.client.state).toBe("failed");
    await expect(peer.client.query("x")).rejects.toMatchObject({ code: "unsupported_version" });
  });
});

describe("arrays", () => {
  it("goes on with a download where the connection broke", async () => {
    const DIGEST = new Uint8Array(32).fill(9);
    const ref = new ArrayRef(DIGEST, "float64", [4]);
    const { peer, socket } = await holding([{ _id: "1", samples: ref }]);
    const progress: number[] = [];
    const call = peer.client.array(ref, { onProgress: (done) => progress.push(done) });
    await settled();
    const ask = socket.last("FetchArray");
    expect(ask).toMatchObject({ queryId: 1, start: 0, stop: null, points: null });
    const bytes = (...numbers: number[]) => new Uint8Array(Float64Array.from(numbers).buffer);
    const frame = { stream: ask.requestId, dtype: "float64" as const, digest: DIGEST };
    socket.tell({ type: "ArrayResponse", requestId: ask.requestId, dtype: "float64", shape: [4], error: null });
    socket.samples({ ...frame, position: 0, length: 4, data: bytes(1, 2, 3) });
    const next = await peer.reconnect();
    await resumed(next, 5n, { type: "QueryUnchanged", queryId: 1 });
    const again = next.last("FetchArray");
    expect(again).toMatchObject({ start: 3 });
    expect(again.requestId).not.toBe(ask.requestId);
    next.tell({ type: "ArrayResponse", requestId: again.requestId, dtype: "float64", shape: [1], error: null });
    next.samples({ ...frame, stream: again.requestId, position: 0, length: 1, data: bytes(4) });
    expect([...(await call)]).toEqual([1, 2, 3, 4]);
    expect(progress).toEqual([24, 32]);
  });

  it.each([
    ["float64", [5], null],
    ["float64", [2 ** 29], null],
    ["int64", [4], null],
    ["float64", [3, 2], 4],
  ])("does not wait for more than was asked for: %s %j", async (dtype, shape, points) => {
    const ref = new ArrayRef(new Uint8Array(32).fill(9), "float64", [4]);
    const { peer, socket } = await holding([{ _id: "1", samples: ref }]);
    const call = peer.client.array(ref, points === null ? {} : { points });
    unattended(call);
    await settled();
    const { requestId } = socket.last("FetchArray");
    socket.tell({ type: "ArrayResponse", requestId, dtype, shape, error: null });
    await expect(call).rejects.toMatchObject({ code: "bad_array" });
    await settled();
    expect(socket.last("CancelFetch")).toMatchObject({ requestId });
  });

  it("cancels a download that nobody waits for, and ignores what still comes of it", async () => {
    const ref = new ArrayRef(new Uint8Array(32), "float64", [1]);
    const { peer, socket } = await holding([ref]);
    const abort = new AbortController();
    const call = peer.client.array(ref, { signal: abort.signal });
    await settled();
    abort.abort(new Error("gone"));
    await expect(call).rejects.toThrow("gone");
    await settled();
    const { requestId } = socket.last("CancelFetch");
    socket.tell({ type: "ArrayResponse", requestId, dtype: "float64", shape: [1], error: null });
    socket.samples({ stream: requestId, dtype: "float64", digest: ref.digest, position: 0, length: 1, data: new Uint8Array(8) });
    expect(socket.closedWith).toBeUndefined();
  });

  it("lets messages go before the samples of an upload", async () => {
    const { peer, socket } = await holding();
    socket.bufferedAmount = 1 << 20;
    unattended(peer.client.mutation("save", { samples: new Float64Array(100_000) }));
    await until(() => peer.client.unanswered === 1);
    await settled();
    expect(socket.all("ArrayFrame")).toEqual([]);
    unattended(peer.client.mutation("small", {}));
    await settled();
    expect(socket.all("Mutation").map((message) => message.path)).toEqual(["small"]);
    socket.bufferedAmount = 0;
    peer.clock.advance(10);
    await settled();
    expect(socket.all("ArrayFrame")).toHaveLength(4);
    expect(socket.last("Mutation").path).toBe("save");
  });
});
