/** Calls that the server has refused because there were too many are made again when it says, not all at once. */
import { expect, it } from "vitest";
import { ArrayRef, FunctionError } from "../src/index.js";
import type { ErrorInfo } from "../src/protocol/errors.js";
import { Peer, unattended, value, type PeerSocket } from "./peer.js";
import { settled } from "./until.js";

const limited = (retryAfter: number): ErrorInfo => ({ code: "rate_limited", message: "too much at once", data: { retryAfter } });

function answer(socket: PeerSocket, requestId: number, error: ErrorInfo | null, result: unknown = null): void {
  socket.tell({ type: "ActionResponse", requestId, result, error });
}

it("sends an action that was refused again in time, under a new number", async () => {
  const peer = new Peer();
  const call = peer.client.action("a", { x: 1 });
  const socket = await peer.accept();
  answer(socket, 1, limited(2.5));
  peer.clock.advance(2_499);
  await settled();
  expect(socket.all("Action")).toHaveLength(1);
  peer.clock.advance(1);
  await settled();
  expect(socket.all("Action")).toMatchObject([{ requestId: 1 }, { requestId: 2, path: "a", args: { x: 1 } }]);
  answer(socket, 2, null, "done");
  expect(await call).toBe("done");
});

it("sends actions one by one after a refusal, and then more", async () => {
  const peer = new Peer();
  const calls = Array.from({ length: 6 }, (_, index) => peer.client.action("a", { index }));
  const socket = await peer.accept();
  const sent = socket.all("Action");
  expect(sent).toHaveLength(6);
  for (const { requestId } of sent) answer(socket, requestId, limited(1));
  peer.clock.advance(1_000);
  let seen = 6;
  for (const atOnce of [1, 2, 3]) {
    await settled();
    const next = socket.all("Action").slice(seen);
    expect(next).toHaveLength(atOnce);
    for (const { requestId, args } of next) answer(socket, requestId, null, args["index"]);
    seen += atOnce;
  }
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5]);
});

it("does not hold mutations back", async () => {
  const peer = new Peer();
  unattended(peer.client.action("a", {}));
  const socket = await peer.accept();
  answer(socket, 1, limited(30));
  unattended(peer.client.mutation("m", {}));
  await settled();
  expect(socket.all("Mutation")).toHaveLength(1);
});

it("tells a limit that lasts too long, and an application's own without a time", async () => {
  const peer = new Peer();
  const calls = [peer.client.action("a", {}), peer.client.action("b", {})];
  const socket = await peer.accept();
  const failed = calls.map((call) => expect(call).rejects.toBeInstanceOf(FunctionError));
  answer(socket, 1, limited(3_600));
  answer(socket, 2, { code: "rate_limited", message: "enough mail for today", data: null });
  await Promise.all(failed);
});

it("does not lose with the connection what was refused before it ran", async () => {
  const peer = new Peer();
  const call = peer.client.action("a", {});
  answer(await peer.accept(), 1, limited(1));
  await peer.reconnect();
  peer.socket.welcome();
  peer.clock.advance(1_000);
  await settled();
  answer(peer.socket, peer.socket.last("Action").requestId, null, "done");
  expect(await call).toBe("done");
});

it("sends a mutation again that a limit of the application has refused, and shows meanwhile what is expected of it", async () => {
  const peer = new Peer();
  const seen: unknown[] = [];
  peer.client.onUpdate("list", {}, (list) => seen.push(list));
  const socket = await peer.accept();
  socket.transition(5, value(1, ["a"]));
  const call = peer.client.mutation("add", { text: "b" }, { optimisticUpdate: (store) => store.setQuery("list", {}, ["a", "b"]) });
  const other = peer.client.mutation("other", {});
  await settled();
  const refused = { code: "rate_limited", message: "too often", data: { retryAfter: 10, limit: "posts" } };
  const first = socket.all("Mutation").find(({ path }) => path === "add")!.requestId;
  socket.tell({ type: "MutationResponse", requestId: first, ts: null, result: null, error: refused });
  socket.tell({ type: "MutationResponse", requestId: first + 1, ts: null, result: "others go on", error: null });
  expect(await other).toBe("others go on");
  expect(seen.at(-1)).toEqual(["a", "b"]);
  peer.clock.advance(9_999);
  await settled();
  expect(socket.all("Mutation")).toHaveLength(2);
  peer.clock.advance(1);
  await settled();
  const again = socket.last("Mutation");
  expect(again).toMatchObject({ path: "add", args: { text: "b" } });
  expect(again.requestId).not.toBe(first);
  socket.tell({ type: "MutationResponse", requestId: again.requestId, ts: null, result: "done", error: null });
  expect(await call).toBe("done");
});

it("tells a mutation's limit that lasts too long, and waits for none once it is closed", async () => {
  const peer = new Peer();
  const [long, short] = [peer.client.mutation("m", {}), peer.client.mutation("m", {})];
  const socket = await peer.accept();
  await settled();
  const [one, two] = socket.all("Mutation").map(({ requestId }) => requestId);
  const failed = [expect(long).rejects.toBeInstanceOf(FunctionError), expect(short).rejects.toThrow("closed")];
  socket.tell({ type: "MutationResponse", requestId: one!, ts: null, result: null, error: limited(3_600) });
  socket.tell({ type: "MutationResponse", requestId: two!, ts: null, result: null, error: limited(1) });
  await failed[0];
  peer.client.close();
  await failed[1];
});

it("asks for a download again", async () => {
  const ref = new ArrayRef(new Uint8Array(32), "float64", [1]);
  const peer = new Peer();
  peer.client.onUpdate("list", {}, () => undefined);
  const socket = await peer.accept();
  socket.transition(5, value(1, [ref]));
  const call = peer.client.array(ref);
  await settled();
  const { requestId } = socket.last("FetchArray");
  socket.tell({ type: "ArrayResponse", requestId, dtype: "float64", shape: [], error: limited(1.5) });
  peer.clock.advance(1_500);
  await settled();
  const again = socket.last("FetchArray").requestId;
  expect(again).not.toBe(requestId);
  socket.tell({ type: "ArrayResponse", requestId: again, dtype: "float64", shape: [1], error: null });
  socket.samples({ stream: again, dtype: "float64", digest: ref.digest, position: 0, length: 1, data: new Uint8Array(8) });
  expect([...(await call)]).toEqual([0]);
});
