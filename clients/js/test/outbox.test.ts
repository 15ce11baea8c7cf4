/** Mutations that survive a reload of the page. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { localStorageOutbox, RequestTimeout, SynoviaClient, type OutboxStorage, type Recovered } from "../src/index.js";
import { browserStorage } from "./browser-storage.js";
import { Wire } from "./cuttable.js";
import { noHub, startHub, type Hub } from "./hub.js";
import { Peer, unattended } from "./peer.js";
import { settled, until } from "./until.js";

function outbox(storage: OutboxStorage, recovered: Recovered[] = []) {
  return { outbox: { name: "test", storage, onRecovered: (outcome: Recovered) => recovered.push(outcome) } };
}

describe("an outbox", () => {
  it("keeps a mutation before it is sent, and forgets it when it is answered", async () => {
    const items = browserStorage();
    const peer = new Peer(outbox(localStorageOutbox(items)));
    const done = peer.client.mutation("m", { x: 1 });
    expect(Object.keys(items)).toHaveLength(1);
    await settled();
    await peer.accept();
    peer.socket.done(1, 5, "done");
    expect(await done).toBe("done");
    expect(Object.keys(items)).toEqual([]);
  });

  it("sends what a page has left under its session and number, before anything new", async () => {
    const items = browserStorage();
    const first = new Peer(outbox(localStorageOutbox(items)));
    await first.accept();
    for (const path of ["one", "two"]) unattended(first.client.mutation(path, { path }));
    await settled();
    const session = first.socket.last("Connect").session;
    first.client.close(); // as a reload does: nothing is forgotten

    const recovered: Recovered[] = [];
    const second = new Peer(outbox(localStorageOutbox(items), recovered));
    unattended(second.client.mutation("three", {}));
    await settled();
    expect(second.sockets).toHaveLength(2);
    const [own, old] = second.sockets;
    for (const socket of [own!, old!]) {
      socket.open();
      socket.welcome();
    }
    await settled();
    expect(old!.last("Connect").session).toEqual(session);
    expect(own!.last("Connect").session).not.toEqual(session);
    expect(old!.all("Mutation")).toMatchObject([
      { requestId: 1, path: "one", retry: true },
      { requestId: 2, path: "two", retry: true },
    ]);
    expect(own!.all("Mutation")).toEqual([]);
    old!.done(1, 5, 11);
    old!.failed(2, "no");
    await settled();
    expect(own!.all("Mutation")).toMatchObject([{ requestId: 1, path: "three", retry: false }]);
    expect(recovered).toMatchObject([{ path: "one", args: { path: "one" }, result: 11 }, { path: "two", error: { code: "no" } }]);
    expect(Object.keys(items)).toHaveLength(1);
    expect(old!.closedWith).toBe(1000);
  });

  it("waits for somebody to sign in with what somebody signed in had left", async () => {
    const items = browserStorage();
    const first = new Peer({ ...outbox(localStorageOutbox(items)), token: "alice" });
    unattended(first.client.mutation("mine", {}));
    first.client.close();

    const second = new Peer(outbox(localStorageOutbox(items)));
    unattended(second.client.mutation("public", {}));
    await settled();
    await second.accept();
    expect(second.sockets).toHaveLength(1);
    expect(second.socket.last("Mutation").path).toBe("public");
    const signedIn = second.client.authenticate("alice");
    await settled();
    second.sockets[0]!.authenticated();
    await signedIn;
    await settled();
    expect(second.sockets).toHaveLength(2);
    await second.accept();
    expect(second.socket.received.map((message) => message.type)).toEqual(["Connect", "Authenticate", "Ping"]);
    second.socket.authenticated();
    await settled();
    expect(second.socket.last("Mutation").path).toBe("mine");
    second.socket.failed(1, "unauthenticated");
    await settled();
    expect(Object.keys(items)).toHaveLength(2); // kept: it has not been looked at
  });

  it("keeps in line what its caller has given up, and tells what became of it", async () => {
    const items = browserStorage();
    const recovered: Recovered[] = [];
    const peer = new Peer(outbox(localStorageOutbox(items), recovered));
    const call = peer.client.mutation("m", { x: 1 }, { timeout: 1_000 });
    peer.clock.advance(1_000);
    await expect(call).rejects.toBeInstanceOf(RequestTimeout);
    expect(Object.keys(items)).toHaveLength(1);
    await peer.accept();
    peer.socket.done(1, 5, "late");
    await settled();
    expect(recovered).toEqual([{ path: "m", args: { x: 1 }, result: "late" }]);
    expect(Object.keys(items)).toEqual([]);
  });

  it("does not wait for ever for a storage that hangs", async () => {
    const reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const never = () => new Promise<never>(() => undefined);
    const peer = new Peer(outbox({ keys: never, get: never, set: never, remove: never }));
    unattended(peer.client.mutation("m", {}));
    await settled();
    await peer.accept();
    expect(peer.socket.all("Mutation")).toHaveLength(0);
    peer.clock.advance(5_000);
    await settled();
    expect(peer.socket.all("Mutation")).toHaveLength(1);
    expect(reported).toHaveBeenCalledTimes(2);
    reported.mockRestore();
  });

  it("is refused where there is nothing to keep it in", () => {
    expect(() => new Peer({ outbox: "test" })).toThrow("there is no localStorage here");
  });

  it("sends all the same what it cannot keep", async () => {
    const reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const full = { ...localStorageOutbox(browserStorage()), set: () => Promise.reject(new Error("full")) };
    const peer = new Peer(outbox(full));
    unattended(peer.client.mutation("m", {}));
    await settled();
    await peer.accept();
    expect(peer.socket.all("Mutation")).toHaveLength(1);
    expect(reported.mock.calls).toMatchObject([[{ message: "full" }]]);
    reported.mockRestore();
  });
});

describe.skipIf(noHub)(`reloads on a real hub${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());

  /** Make a page; `reload` ends it without a goodbye. */
  function page(items: Storage, wire: Wire, recovered: Recovered[] = []) {
    const client = new SynoviaClient(hub.url, {
      WebSocket: wire.WebSocket, backoff: { initial: 5, maximum: 50 }, ...outbox(localStorageOutbox(items), recovered),
    });
    return { client, reload: () => (wire.cutAll(), client.close()) };
  }

  it.each([
    ["before it was sent", { direction: "sent", index: 1, side: "before" }],
    ["when it was sent", { direction: "sent", index: 1, side: "after" }],
    ["just before its answer", { direction: "received", index: 1, side: "before" }],
  ] as const)("runs a mutation once when the page is reloaded %s", async (name, cut) => {
    const items = browserStorage();
    const wire = new Wire(cut);
    const first = page(items, wire);
    const samples = Float64Array.from({ length: 50_000 }, Math.sin);
    const list = `reload ${name}`;
    const args = cut.direction === "received" ? { list, rank: 1, text: "kept" } : { list, rank: 1, text: "kept", samples };
    unattended(first.client.mutation("items:add", args));
    await until(() => wire.counts[cut.direction] > cut.index);
    first.reload();
    expect(Object.keys(items)).toHaveLength(1);

    const recovered: Recovered[] = [];
    const second = page(items, new Wire(), recovered);
    await second.client.mutation("items:rename", { list, rank: 1, text: "renamed after the reload" });
    expect(recovered).toMatchObject([{ path: "items:add", result: expect.any(String) }]);
    const rows = await second.client.query("items:all_of", { list });
    expect(rows).toMatchObject([{ text: "renamed after the reload" }]);
    if ("samples" in args) expect(await second.client.array(rows[0].samples)).toEqual(samples);
    expect(Object.keys(items)).toEqual([]);
    second.client.close();
  });

  it("is safe when two pages find the same leftovers", async () => {
    const items = browserStorage();
    const first = page(items, new Wire({ direction: "sent", index: 1, side: "after" }));
    unattended(first.client.mutation("items:add", { list: "two pages", rank: 1, text: "" }));
    await until(() => first.client.unanswered);
    first.reload();
    const pages = [page(items, new Wire()), page(items, new Wire())];
    await Promise.all(pages.map(({ client }, index) => client.mutation("items:add", { list: "two pages", rank: 2 + index, text: "" })));
    expect(await pages[0]!.client.query("items:count", { list: "two pages" })).toBe(3);
    for (const { client } of pages) client.close();
  });
});

