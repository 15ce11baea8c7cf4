/** Optimistic updates: shown at once, gone exactly when their effect is there, and never both. */
import { describe, expect, it } from "vitest";
import { FunctionError, type OptimisticStore } from "../src/index.js";
import { ListEdit, MapEdit } from "../src/protocol/edits.js";
import { patch, Peer, unattended, value, type PeerSocket } from "./peer.js";
import { settled } from "./until.js";

type Item = { _id: string; text: string };
const LIST = [{ _id: "1", text: "one" }, { _id: "2", text: "two" }];

const append = (store: OptimisticStore, { text }: { text: string }) => {
  const items = store.getQuery("list", {}) as Item[] | undefined;
  if (items) store.setQuery("list", {}, [...items, { _id: "new", text }]);
};

/** A client that shows a list, and what was shown, one text a change. */
async function showing(): Promise<{ peer: Peer; socket: PeerSocket; shown: string[] }> {
  const peer = new Peer();
  const shown: string[] = [];
  peer.client.onUpdate("list", {}, (items: Item[]) => shown.push(items.map((item) => item.text).join(" ")));
  const socket = await peer.accept();
  socket.transition(5, value(1, LIST));
  await settled();
  return { peer, socket, shown };
}

/** A list edit that adds an item behind `length` others. */
function added(length: number, text: string): ListEdit {
  return new ListEdit([0, length, [{ _id: text, text }]]);
}

describe("an optimistic update", () => {
  it("is shown at once, and its effect takes its place without a change in between", async () => {
    const { peer, socket, shown } = await showing();
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append });
    expect(shown).toEqual(["one two", "one two three"]);
    await settled();
    socket.transition(6, patch(1, added(2, "three")));
    expect(shown).toEqual(["one two", "one two three"]); // the effect is there, the answer is not
    socket.done(1, 6, "id");
    expect(await done).toBe("id");
    expect(shown).toEqual(["one two", "one two three", "one two three"]); // the third with the server's id
    expect(peer.client.watch("list", {}).current.value).toEqual([...LIST, { _id: "three", text: "three" }]);
  });

  it("resolves its mutation only when the effect is shown", async () => {
    const { peer, socket } = await showing();
    const seen = peer.client.mutation("add", { text: "x" }, { optimisticUpdate: append }).then(() => peer.client.watch("list", {}).current.value);
    await settled();
    socket.transition(6, patch(1, added(2, "x")));
    socket.done(1, 6);
    expect(await seen).toEqual([...LIST, { _id: "x", text: "x" }]);
  });

  it("is rolled back when the mutation fails", async () => {
    const { peer, socket, shown } = await showing();
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append });
    await settled();
    socket.failed(1, "forbidden");
    await expect(done).rejects.toBeInstanceOf(FunctionError);
    expect(shown).toEqual(["one two", "one two three", "one two"]);
    expect(peer.client.watch("list", {}).current.value).toEqual(LIST);
  });

  it("is rolled back when nobody waits any more", async () => {
    const { peer, shown } = await showing();
    const abort = new AbortController();
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append, signal: abort.signal });
    abort.abort(new Error("never mind"));
    await expect(done).rejects.toThrow("never mind");
    expect(shown).toEqual(["one two", "one two three", "one two"]);
  });

  it("is applied again to what others change, which is not held back for long", async () => {
    const { peer, socket, shown } = await showing();
    unattended(peer.client.mutation("add", { text: "mine" }, { optimisticUpdate: append }));
    await settled();
    socket.transition(6, patch(1, new ListEdit([], [0, new MapEdit({ text: "ONE" })])));
    expect(shown.at(-1)).toBe("one two mine"); // this might be the effect, for all that is known
    peer.clock.advance(99);
    expect(shown.at(-1)).toBe("one two mine");
    peer.clock.advance(1);
    expect(shown.at(-1)).toBe("ONE two mine");
  });

  it("does not hold back what it does not touch", async () => {
    const { peer, socket } = await showing();
    const others: number[] = [];
    peer.client.onUpdate("count", {}, (count) => others.push(count));
    await settled();
    unattended(peer.client.mutation("add", { text: "mine" }, { optimisticUpdate: append }));
    await settled();
    socket.transition(6, value(2, 7));
    await settled();
    expect(others).toEqual([7]);
  });

  it("holds back everything of an instant together", async () => {
    const { peer, socket, shown } = await showing();
    const counts: number[] = [];
    peer.client.onUpdate("count", {}, (count) => counts.push(count));
    await settled();
    socket.transition(6, value(2, 2));
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append });
    await settled();
    socket.transition(7, patch(1, added(2, "three")), value(2, 3));
    expect([shown.at(-1), counts.at(-1)]).toEqual(["one two three", 2]);
    socket.done(1, 7);
    await done;
    expect([shown.at(-1), counts.at(-1)]).toEqual(["one two three", 3]);
  });

  it("lets several be under way, each gone with its own effect", async () => {
    const { peer, socket, shown } = await showing();
    const first = peer.client.mutation("add", { text: "3" }, { optimisticUpdate: append });
    const second = peer.client.mutation("add", { text: "4" }, { optimisticUpdate: append });
    await settled();
    socket.transition(6, patch(1, added(2, "3")));
    socket.done(1, 6);
    await first;
    expect(shown.at(-1)).toBe("one two 3 4");
    socket.transition(7, patch(1, added(3, "4")));
    socket.done(2, 7);
    await second;
    expect(new Set(shown.slice(3))).toEqual(new Set(["one two 3 4"]));
  });

  it("does not flicker when one transition holds the effects of two", async () => {
    const { peer, socket, shown } = await showing();
    const both = ["3", "4"].map((text) => peer.client.mutation("add", { text }, { optimisticUpdate: append }));
    await settled();
    socket.transition(8, patch(1, new ListEdit([0, 2, [{ _id: "3", text: "3" }, { _id: "4", text: "4" }]])));
    socket.done(1, 6);
    socket.done(2, 8);
    await Promise.all(both);
    expect(shown.slice(2).every((text) => text === "one two 3 4")).toBe(true);
  });

  it("stays over a broken connection until the retried mutation is answered", async () => {
    const { peer, socket, shown } = await showing();
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append });
    await settled();
    expect(socket.last("Mutation").retry).toBe(false);
    const next = await peer.reconnect();
    next.welcome();
    await settled();
    next.ts = 5n;
    next.transition(6, patch(1, added(2, "three")));
    expect(shown.at(-1)).toBe("one two three");
    expect(next.last("Mutation")).toMatchObject({ requestId: 1, retry: true });
    peer.clock.advance(500); // the answer is a round trip behind
    next.done(1, 6);
    await done;
    expect(new Set(shown.slice(1))).toEqual(new Set(["one two three"]));
  });

  it("keeps what came just before the connection broke until the answer", async () => {
    const { peer, socket, shown } = await showing();
    const done = peer.client.mutation("add", { text: "three" }, { optimisticUpdate: append });
    await settled();
    socket.transition(6, patch(1, added(2, "three")));
    const next = await peer.reconnect();
    expect(shown.at(-1)).toBe("one two three");
    next.welcome();
    next.ts = 6n;
    next.transition(6, { type: "QueryUnchanged", queryId: 1 });
    await settled();
    next.done(1, 6);
    await done;
    expect(new Set(shown.slice(1))).toEqual(new Set(["one two three"]));
    expect(peer.client.watch("list", {}).current.value).toEqual([...LIST, { _id: "three", text: "three" }]);
  });

  it("that throws at once fails the call, and nothing is sent", async () => {
    const { peer, socket, shown } = await showing();
    const optimisticUpdate = () => {
      throw new TypeError("a mistake");
    };
    await expect(peer.client.mutation("add", { text: "x" }, { optimisticUpdate })).rejects.toThrow("a mistake");
    await settled();
    expect(socket.all("Mutation")).toEqual([]);
    expect(shown).toEqual(["one two"]);
  });

  it("changes nothing that nobody subscribes to, and sees all queries of a path", async () => {
    const { peer } = await showing();
    const seen: unknown[] = [];
    const optimisticUpdate = (store: OptimisticStore) => {
      store.setQuery("other", {}, 1);
      seen.push(store.getQuery("other", {}), store.getAllQueries("list"));
    };
    unattended(peer.client.mutation("add", { text: "x" }, { optimisticUpdate }));
    expect(seen.slice(0, 2)).toEqual([undefined, [{ args: {}, value: LIST }]]);
  });

  it("keeps the rows that it does not change", async () => {
    const { peer } = await showing();
    const before = peer.client.watch("list", {}).current.value as Item[];
    unattended(peer.client.mutation("add", { text: "x" }, { optimisticUpdate: append }));
    const after = peer.client.watch("list", {}).current.value as Item[];
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });
});
