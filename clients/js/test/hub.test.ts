/** The client on a real hub. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { ArrayRef, AuthenticationError, FunctionError, NdArray, SynoviaClient, type ClientOptions } from "../src/index.js";
import { noHub, startHub, type Hub } from "./hub.js";
import { until } from "./until.js";

describe.skipIf(noHub)(`a real hub${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  const clients: SynoviaClient[] = [];

  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());
  afterEach(() => clients.splice(0).forEach((client) => client.close()));

  function connect(options: ClientOptions = {}): SynoviaClient {
    const client = new SynoviaClient(hub.url, { WebSocket, ...options });
    clients.push(client);
    return client;
  }

  it("runs queries, mutations and actions", async () => {
    const client = connect();
    const id = await client.mutation("items:add", { list: "one", rank: 1, text: "hello" });
    expect(await client.query("items:all_of", { list: "one" })).toEqual([{ _id: id, list: "one", rank: 1, text: "hello" }]);
    expect(await client.action("items:echo", { value: 2.5 })).toBe(2.5);
    expect(client.state).toBe("connected");
  });

  it("keeps a query up to date on another client, and shares what did not change", async () => {
    const [reader, writer] = [connect(), connect()];
    await writer.mutation("items:fill", { list: "live", count: 5 });
    const seen: { text: string }[][] = [];
    reader.onUpdate("items:all_of", { list: "live" }, (items) => seen.push(items));
    await until(() => seen.length === 1);
    await writer.mutation("items:rename", { list: "live", rank: 20, text: "new" });
    await until(() => seen.length === 2);
    expect(seen[1]![2]).toMatchObject({ text: "new" });
    for (const index of [0, 1, 3, 4]) expect(seen[1]![index]).toBe(seen[0]![index]);
  });

  it("asks anew though it follows the query, and though somebody asked before", async () => {
    const [reader, writer] = [connect(), connect()];
    const list = "asked anew";
    reader.onUpdate("items:count", { list }, () => undefined);
    for (let count = 1; count <= 10; count++) {
      const passerBy = connect();
      expect(await passerBy.query("items:count", { list })).toBe(count - 1);
      passerBy.close();
      await writer.mutation("items:add", { list, rank: count, text: "" });
      expect(await reader.query("items:count", { list })).toBe(count);
      expect(await connect().query("items:count", { list })).toBe(count);
    }
  });

  it("tells how a function failed", async () => {
    const client = connect();
    const error = await client.query("items:broken", { list: "none" }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FunctionError);
    expect(error).toMatchObject({ code: "empty", message: "there is nothing", data: { list: "none" } });
    await expect(client.mutation("items:sign", { list: "x" })).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(client.query("items:nothing")).rejects.toMatchObject({ code: "unknown_function" });
    await expect(client.query("items:count", { list: () => 1 })).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("recovers a failed subscription", async () => {
    const client = connect();
    const seen: unknown[] = [];
    client.onUpdate("items:broken", { list: "mended" }, (value) => seen.push(value), (error) => seen.push((error as FunctionError).code));
    await until(() => seen.length === 1);
    await client.mutation("items:add", { list: "mended", rank: 1, text: "" });
    await until(() => seen.length === 2);
    expect(seen).toEqual(["empty", 1]);
  });

  it("signs in, out, and tells of a refused token", async () => {
    const client = connect({ token: async () => "dev:alice@example.org" });
    expect(client.auth.isLoading).toBe(true);
    expect(await client.query("items:who")).toBe("alice@example.org");
    await until(() => client.auth.isAuthenticated);
    const seen: unknown[] = [];
    client.onUpdate("items:who", {}, (who) => seen.push(who));
    await until(() => seen.length === 1);
    await client.authenticate(null);
    expect(client.auth).toEqual({ isLoading: false, isAuthenticated: false, error: null });
    await until(() => seen.length === 2);
    await expect(client.authenticate("nonsense")).rejects.toBeInstanceOf(AuthenticationError);
    await client.authenticate("dev:bob@example.org");
    await until(() => seen.length === 3);
    expect(seen).toEqual(["alice@example.org", null, "bob@example.org"]);
    expect(client.auth.isAuthenticated).toBe(true);
  });

  it("uploads arrays and fetches them: whole, ranges, thinned, bit for bit", async () => {
    const client = connect();
    const samples = Float64Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 50) * 60);
    samples.set([-0, Infinity, -Infinity, NaN], 7);
    const progress: number[] = [];
    const onProgress = (done: number, total: number) => progress.push(done / total);
    await client.mutation("items:add", { list: "arrays", rank: 0, text: "", samples }, { onProgress });
    expect(progress).toEqual([262144 / 800000, 524288 / 800000, 786432 / 800000, 1]);

    const [item] = await client.query("items:all_of", { list: "arrays" });
    expect(item.samples).toBeInstanceOf(ArrayRef);
    expect(item.samples.shape).toEqual([100_000]);
    const whole = await client.array(item.samples);
    expect(whole).toBeInstanceOf(Float64Array);
    expect(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).equals(Buffer.from(samples.buffer))).toBe(true);
    expect(await client.array(item.samples, { start: 10, stop: 20 })).toEqual(samples.slice(10, 20));
    const thin = await client.array(item.samples, { points: 100, start: 1000, stop: 50_000 });
    expect(thin.length).toBe(100);
    expect(Math.max(...(thin as Float64Array))).toBe(Math.max(...samples.slice(1000, 50_000)));
    await expect(client.array(item.samples, { start: 1, stop: 200_000 })).rejects.toMatchObject({ code: "bad_range" });
  });

  it("uploads where there is no WebCrypto, as on a page without https", async () => {
    const { crypto } = globalThis;
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const client = connect();
    const samples = Float64Array.from({ length: 70_000 }, Math.sqrt);
    await client.mutation("items:add", { list: "plain http", rank: 0, text: "", samples });
    vi.unstubAllGlobals();
    const [item] = await client.query("items:all_of", { list: "plain http" });
    expect([...(await client.array(item.samples, { start: 69_998 }))]).toEqual([...samples.slice(69_998)]);
  });

  it("maps a fetched array that came in one frame without copying it", async () => {
    const client = connect();
    await client.mutation("items:add", { list: "small", rank: 0, text: "", samples: new NdArray(Float64Array.of(1, 2, 3)) });
    const [item] = await client.query("items:all_of", { list: "small" });
    const found = await client.array(item.samples);
    expect([...found]).toEqual([1, 2, 3]);
    expect(found.byteOffset).toBe(56); // it lies behind the header of the frame
  });

  it("uses an array again that a query shows, without uploading it", async () => {
    const client = connect();
    await client.mutation("items:add", { list: "again", rank: 0, text: "", samples: Float64Array.of(4, 5) });
    const [item] = await client.query("items:all_of", { list: "again" });
    const other = connect();
    await other.query("items:all_of", { list: "again" });
    await other.mutation("items:add", { list: "again", rank: 1, text: "", samples: item.samples });
    expect(await other.query("items:all_of", { list: "again" })).toHaveLength(2);
  });

  it("keeps big integers exact", async () => {
    const client = connect();
    const big = 2n ** 62n + 1n;
    await client.mutation("items:add", { list: "big", rank: big, text: "" });
    expect(await client.query("items:all_of", { list: "big" })).toMatchObject([{ rank: big }]);
  });
});
