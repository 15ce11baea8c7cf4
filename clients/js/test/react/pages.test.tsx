// @vitest-environment jsdom
/** Lists read page by page: no gap, no overlap. */
import { act, cleanup, render } from "@testing-library/react";
import { StrictMode } from "react";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SynoviaClient } from "../../src/index.js";
import { SynoviaProvider, usePaginatedQuery, type PaginatedResult } from "../../src/react/index.js";
import { Wire } from "../cuttable.js";
import { noHub, startHub, type Hub } from "../hub.js";
import { Peer, value } from "../peer.js";
import { settled, until } from "../until.js";

afterEach(cleanup);

type Item = { rank: number; text: string };

/** Show a list, and give what the hook gave last. */
function shown(client: SynoviaClient, path: string, args: object, pageSize: number): () => PaginatedResult<Item> {
  let newest: PaginatedResult<Item>;
  function List() {
    newest = usePaginatedQuery(path, args, { pageSize });
    return null;
  }
  render(<StrictMode><SynoviaProvider client={client}><List /></SynoviaProvider></StrictMode>);
  return () => newest;
}

describe.skipIf(noHub)(`usePaginatedQuery on a real hub${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  const clients: SynoviaClient[] = [];
  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());
  afterEach(() => clients.splice(0).forEach((client) => client.close()));

  function connect(wire = new Wire()): SynoviaClient {
    const client = new SynoviaClient(hub.url, { WebSocket: wire.WebSocket, backoff: { initial: 5, maximum: 20 } });
    clients.push(client);
    return client;
  }

  const looking = (holds: () => boolean) => act(() => until(holds));
  const ranks = (result: PaginatedResult<Item>) => result.results.map(({ rank }) => rank);

  it("reads page after page to the end", async () => {
    const client = connect();
    await client.mutation("items:fill", { list: "pages", count: 25 });
    const newest = shown(client, "items:page_of", { list: "pages" }, 10);
    expect(newest()).toMatchObject({ status: "LoadingFirstPage", isLoading: true, results: [] });
    await looking(() => newest().status === "CanLoadMore");
    expect(ranks(newest())).toHaveLength(10);
    act(() => newest().loadMore());
    expect(newest()).toMatchObject({ status: "LoadingMore", isLoading: true });
    act(() => newest().loadMore()); // nothing: one is being read
    await looking(() => newest().status === "CanLoadMore");
    expect(ranks(newest())).toHaveLength(20);
    act(() => newest().loadMore());
    await looking(() => newest().status === "Exhausted");
    expect(ranks(newest())).toEqual(Array.from({ length: 25 }, (_, index) => index * 10));
  });

  it("keeps every page live, without gap or overlap, while rows come and go, and over a break", async () => {
    const wire = new Wire();
    const [client, writer] = [connect(wire), connect()];
    await writer.mutation("items:fill", { list: "moving", count: 30 });
    const newest = shown(client, "items:page_of", { list: "moving" }, 10);
    await looking(() => newest().status === "CanLoadMore");
    act(() => newest().loadMore());
    await looking(() => newest().results.length === 20);

    const expected = () => all.filter((rank) => rank < 200).sort((a, b) => a - b);
    const all = Array.from({ length: 30 }, (_, index) => index * 10);
    for (const rank of [95, 5, 91, 105, 99, 101]) {
      await writer.mutation("items:add", { list: "moving", rank, text: "" });
      all.push(rank);
      await looking(() => newest().results.length === expected().length);
      expect(ranks(newest())).toEqual(expected());
    }
    for (const rank of [90, 100, 0, 190]) {
      await writer.mutation("items:remove", { list: "moving", rank });
      all.splice(all.indexOf(rank), 1);
      await looking(() => newest().results.length === expected().length);
      expect(ranks(newest())).toEqual(expected());
    }
    const { results } = newest();
    act(() => wire.cutAll());
    await looking(() => client.state === "reconnecting");
    await writer.mutation("items:rename", { list: "moving", rank: 95, text: "changed while away" });
    await looking(() => newest().results.some(({ text }) => text === "changed while away"));
    expect(ranks(newest())).toEqual(expected());
    expect(newest().results.filter((item, index) => item !== results[index])).toHaveLength(1);
  });
});

describe("pages whose ends have moved", () => {
  const page = (from: number, to: number, nextCursor: string | null) => ({
    items: Array.from({ length: to - from }, (_, index) => ({ rank: from + index })),
    nextCursor,
  });

  it("are asked for anew from there, and what was there before is shown meanwhile", async () => {
    const peer = new Peer();
    const newest = shown(peer.client, "pages", { of: "x" }, 5);
    await act(() => peer.accept().then(settled));
    const { socket } = peer;
    const happens = (run: () => void) => act(async () => (run(), await settled()));
    expect(socket.last("ModifyQuerySet").add).toMatchObject([{ queryId: 1, args: { of: "x", limit: 5 } }]);
    await happens(() => socket.transition(5, value(1, page(0, 5, "at 5"))));
    await happens(() => newest().loadMore(3));
    expect(socket.last("ModifyQuerySet").add).toMatchObject([{ queryId: 2, args: { of: "x", limit: 3, cursor: "at 5" } }]);
    await happens(() => socket.transition(5, value(2, page(5, 8, "at 8"))));
    expect(newest()).toMatchObject({ status: "CanLoadMore", results: { length: 8 } });

    await happens(() => socket.transition(6, value(1, page(0, 4, "at 4"))));
    expect(socket.last("ModifyQuerySet")).toMatchObject({ add: [{ queryId: 3, args: { cursor: "at 4" } }], remove: [2] });
    expect(newest()).toMatchObject({ status: "LoadingMore", results: { length: 8 } });
    await happens(() => socket.transition(6, value(3, page(4, 7, null))));
    expect(newest()).toMatchObject({ status: "Exhausted", results: { length: 7 } });
    expect(newest().results.map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4, 5, 6]);

    await happens(() => socket.transition(7, value(1, page(0, 2, null))));
    expect(newest()).toMatchObject({ status: "Exhausted", results: { length: 2 } });
    expect(socket.last("ModifyQuerySet").remove).toEqual([3]);
  });
});

