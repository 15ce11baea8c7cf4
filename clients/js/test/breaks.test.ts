/** Sockets that break, hubs that are killed: on a real hub. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SynoviaClient, type ClientOptions, type OptimisticStore } from "../src/index.js";
import { Wire, type Cut } from "./cuttable.js";
import { noHub, startHub, type Hub } from "./hub.js";
import { until } from "./until.js";

const QUICK = { backoff: { initial: 5, maximum: 50 } };

type Item = { rank: number; text: string };

const append = (store: OptimisticStore, { list, rank, text }: Item & { list: string }) => {
  const items = (store.getQuery("items:all_of", { list }) ?? []) as Item[];
  store.setQuery("items:all_of", { list }, [...items, { rank, text }]);
};

function bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Give random numbers that are the same each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.skipIf(noHub)(`breaks${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  const clients: SynoviaClient[] = [];

  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());
  afterEach(() => clients.splice(0).forEach((client) => client.close()));

  function connect(options: ClientOptions): SynoviaClient {
    const client = new SynoviaClient(hub.url, { ...QUICK, ...options });
    clients.push(client);
    return client;
  }

  /** Run a mutation with an optimistic update while the connection breaks; tell what was shown, and what passed. */
  async function mutateOver(list: string, cut?: Cut): Promise<{ shown: string[]; wire: Wire }> {
    const wire = new Wire(cut);
    const client = connect({ WebSocket: wire.WebSocket, token: "dev:cut@example.org", timeouts: { settle: 5_000 } });
    const shown: string[] = [];
    client.onUpdate("items:all_of", { list }, (items: Item[]) => shown.push(items.map(({ text }) => text).join(" ")));
    await until(() => shown.length);
    await client.mutation("items:add", { list, rank: 1, text: "a" }, { optimisticUpdate: append });
    await client.mutation("items:add", { list, rank: 2, text: "b" }, { optimisticUpdate: append });
    const once = (await client.query("items:all_of", { list })) as Item[];
    expect(once.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(shown.at(-1)).toBe("a b");
    return { shown, wire };
  }

  it("a mutation runs once and never flickers, wherever the socket breaks", async () => {
    const { wire: whole } = await mutateOver("whole");
    expect(whole.connections).toBe(1);
    const cuts: Cut[] = [];
    for (const direction of ["sent", "received"] as const) {
      for (let index = 0; index < whole.counts[direction]; index++) {
        for (const side of ["before", "after"] as const) cuts.push({ direction, index, side });
      }
    }
    expect(cuts.length).toBeGreaterThan(15);
    let broken = 0;
    for (const cut of cuts) {
      const { shown, wire } = await mutateOver(`cut ${JSON.stringify(cut)}`, cut);
      broken += Math.sign(wire.connections - 1);
      const distinct = shown.filter((text, index) => text !== shown[index - 1]);
      expect(distinct, JSON.stringify(cut)).toEqual(["", "a", "a b"]);
    }
    expect(broken).toBeGreaterThan(cuts.length - 5); // the last frames may come when all is done
  }, 60_000);

  it.each([1, 2, 3])("over a link that loses and doubles frames every state shown is one that was (seed %i)", async (seed) => {
    let chaos = true;
    const random = generator(seed);
    const wire = new Wire(undefined, () => (chaos && random() < 0.3 ? (random() < 0.5 ? 0 : 2) : 1));
    const [reader, writer] = [connect({ WebSocket: wire.WebSocket, timeouts: { welcome: 200 } }), connect({ WebSocket: new Wire().WebSocket })];
    const shown: number[] = [];
    reader.onUpdate("items:all_of", { list: `chaos ${seed}` }, (items: Item[]) => {
      expect(items.map(({ rank }) => rank)).toEqual(items.map((_, index) => index));
      shown.push(items.length);
    });
    for (let rank = 0; rank < 80; rank++) {
      await writer.mutation("items:add", { list: `chaos ${seed}`, rank, text: "" });
      chaos = rank < 70;
    }
    await until(() => shown.at(-1) === 80);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    expect(wire.connections).toBeGreaterThan(1);
  });

  it("an upload is finished over several connections", async () => {
    const wire = new Wire({ direction: "sent", index: 3, side: "after" });
    const client = connect({ WebSocket: wire.WebSocket });
    const samples = Float64Array.from({ length: 200_000 }, Math.sqrt);
    await client.mutation("items:add", { list: "upload", rank: 0, text: "", samples });
    expect(wire.connections).toBe(2);
    const items = await client.query("items:all_of", { list: "upload" });
    expect(items).toHaveLength(1);
    expect(bytes(await client.array(items[0].samples)).equals(bytes(samples))).toBe(true);
  });

  it("a download goes on where it was", async () => {
    const writer = connect({ WebSocket: new Wire().WebSocket });
    const samples = Float64Array.from({ length: 500_000 }, Math.sqrt);
    await writer.mutation("items:add", { list: "download", rank: 0, text: "", samples });
    const wire = new Wire({ direction: "received", index: 6, side: "after" });
    const client = connect({ WebSocket: wire.WebSocket });
    const [item] = await client.query("items:all_of", { list: "download" });
    const done: number[] = [];
    const found = await client.array(item.samples, { onProgress: (soFar) => done.push(soFar) });
    expect(bytes(found).equals(bytes(samples))).toBe(true);
    expect(wire.connections).toBe(2);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(new Set(done).size).toBe(done.length);
  });

  it("a hub that was killed and comes back: the same results, and nothing lost or doubled", async () => {
    const store = `sqlite:///${join(mkdtempSync(join(tmpdir(), "synovia-js-")), "hub.db")}`;
    let own = await startHub({ store });
    const client = new SynoviaClient(own.url, { ...QUICK, WebSocket: new Wire().WebSocket });
    clients.push(client);
    const shown: Item[][] = [];
    client.onUpdate("items:all_of", { list: "killed" }, (items) => shown.push(items));
    await client.mutation("items:fill", { list: "killed", count: 20 });
    await until(() => shown.at(-1)?.length === 20);
    const before = shown.at(-1)!;
    await own.kill();
    await until(() => client.state === "reconnecting");
    const renamed = client.mutation("items:rename", { list: "killed", rank: 50, text: "while it was away" });
    own = await startHub({ store, port: own.port });
    await renamed;
    expect(shown.at(-1)![5]).toMatchObject({ text: "while it was away" });
    expect(shown.at(-1)!.filter((item, index) => item === before[index])).toHaveLength(19);
    client.close();
    await own.kill();
  }, 60_000);
});
