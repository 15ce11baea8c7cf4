// @vitest-environment jsdom
/** The hooks, over a server that does what the test says. */
import { act, cleanup, render, screen } from "@testing-library/react";
import { Component, memo, StrictMode, Suspense, type ReactNode } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ArrayRef, FunctionError, type OptimisticStore } from "../../src/index.js";
import { ListEdit, MapEdit } from "../../src/protocol/edits.js";
import {
  SynoviaProvider,
  useAction,
  useArray,
  useAuth,
  useConnectionState,
  useMutation,
  usePresence,
  useQueries,
  useQuery,
  useQueryResult,
  useSuspenseQuery,
} from "../../src/react/index.js";
import { patch, Peer, unattended, value, type PeerSocket } from "../peer.js";
import { settled } from "../until.js";

afterEach(cleanup);

/** Let a server's message, or anything else, take effect on the page. */
const done = (happens?: () => unknown) =>
  act(async () => {
    happens?.();
    await settled();
  });

async function page(peer: Peer, children: ReactNode): Promise<PeerSocket> {
  render(<SynoviaProvider client={peer.client}>{children}</SynoviaProvider>);
  await done(() => peer.accept());
  return peer.socket;
}

describe("useQuery", () => {
  function Counter({ of }: { of: string | null }) {
    const count = useQuery("count", of === null ? "skip" : { of });
    return <p>{count === undefined ? "loading" : `count ${count}`}</p>;
  }

  it("is undefined while loading, then the newest result", async () => {
    const socket = await page(new Peer(), <Counter of="a" />);
    expect(screen.getByText("loading")).toBeDefined();
    await done(() => socket.transition(5, value(1, 3)));
    expect(screen.getByText("count 3")).toBeDefined();
    await done(() => socket.transition(6, value(1, 4)));
    expect(screen.getByText("count 4")).toBeDefined();
  });

  it("asks nothing when skipped, and leaves the query when its arguments change", async () => {
    const peer = new Peer();
    const view = render(<Counter of={null} />, { wrapper: ({ children }) => <SynoviaProvider client={peer.client}>{children}</SynoviaProvider> });
    await done(() => peer.accept());
    expect(peer.socket.all("ModifyQuerySet")).toEqual([]);
    await done(() => view.rerender(<Counter of="a" />));
    await done(() => peer.socket.transition(5, value(1, 1)));
    await done(() => view.rerender(<Counter of="b" />));
    expect(screen.getByText("loading")).toBeDefined();
    expect(peer.socket.last("ModifyQuerySet")).toMatchObject({ add: [{ queryId: 2, args: { of: "b" } }], remove: [1] });
    await done(() => view.unmount());
    expect(peer.socket.last("ModifyQuerySet").remove).toEqual([2]);
  });

  it("subscribes once under StrictMode, however many components ask", async () => {
    const peer = new Peer();
    const socket = await page(peer, <StrictMode><Counter of="a" /><Counter of="a" /></StrictMode>);
    expect(socket.all("ModifyQuerySet").flatMap(({ add }) => add)).toHaveLength(1);
    expect(socket.all("ModifyQuerySet").flatMap(({ remove }) => remove)).toEqual([]);
    await done(() => socket.transition(5, value(1, 1)));
    expect(screen.getAllByText("count 1")).toHaveLength(2);
  });

  it("throws the error to a boundary, and recovers", async () => {
    const silenced = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const reported = (event: Event) => event.preventDefault();
    window.addEventListener("error", reported);
    let reset = (): void => undefined;
    class Boundary extends Component<{ children: ReactNode }, { error: FunctionError | null }> {
      override state = { error: null as FunctionError | null };
      static getDerivedStateFromError(error: FunctionError) {
        return { error };
      }
      override render() {
        reset = () => this.setState({ error: null });
        return this.state.error ? <p>failed: {this.state.error.code}</p> : this.props.children;
      }
    }
    const peer = new Peer();
    const socket = await page(peer, <Boundary><Counter of="a" /></Boundary>);
    peer.client.onUpdate("count", { of: "a" }, () => undefined, () => undefined);
    const error = { code: "forbidden", message: "no", data: null };
    await done(() => socket.transition(5, { type: "QueryFailed", queryId: 1, error }));
    expect(screen.getByText("failed: forbidden")).toBeDefined();
    await done(() => socket.transition(6, value(1, 7)));
    await done(() => reset());
    expect(screen.getByText("count 7")).toBeDefined();
    window.removeEventListener("error", reported);
    silenced.mockRestore();
  });
});

describe("a list of 1,000 documents", () => {
  type Item = { _id: string; text: string };
  const ITEMS = Array.from({ length: 1_000 }, (_, index) => ({ _id: `${index}`, text: `item ${index}` }));

  /** Show a list, counting what is rendered. */
  async function listed() {
    const renders = { list: 0, rows: [] as string[] };
    const Row = memo(function Row({ item }: { item: Item }) {
      renders.rows.push(item._id);
      return <li>{item.text}</li>;
    });
    function List() {
      renders.list += 1;
      const items = useQuery("list") as Item[] | undefined;
      return <ul>{items?.map((item) => <Row key={item._id} item={item} />)}</ul>;
    }
    const peer = new Peer();
    const socket = await page(peer, <List />);
    await done(() => socket.transition(5, value(1, ITEMS)));
    const clear = () => Object.assign(renders, { list: 0, rows: [] });
    expect(renders.rows).toHaveLength(1_000);
    clear();
    return { peer, socket, renders, clear };
  }

  it("renders only the row that changed", async () => {
    const { socket, renders } = await listed();
    await done(() => socket.transition(6, patch(1, new ListEdit([], [500, new MapEdit({ text: "new" })]))));
    expect(renders).toEqual({ list: 1, rows: ["500"] });
  });

  it("renders 50 changes a second as so many rows", async () => {
    const { socket, renders } = await listed();
    const changed = Array.from({ length: 50 }, (_, index) => (index * 37) % 1_000);
    for (const [turn, row] of changed.entries()) {
      await done(() => socket.transition(6 + turn, patch(1, new ListEdit([], [row, new MapEdit({ text: `change ${turn}` })]))));
    }
    expect(renders.rows).toEqual(changed.map(String));
    expect(screen.getByText("change 49")).toBeDefined();
  });

  it("renders no row again when rows come, go and move", async () => {
    const { socket, renders } = await listed();
    await done(() => socket.transition(6, patch(1, new ListEdit([999, 1, [{ _id: "new", text: "new" }], 0, 998]))));
    expect(renders).toEqual({ list: 1, rows: ["new"] });
  });

  it("renders nothing when nothing changed: time moves, a query is confirmed, or all is sent again", async () => {
    const { peer, socket, renders } = await listed();
    await done(() => socket.transition(7));
    await done(() => peer.reconnect());
    await done(() => {
      peer.socket.welcome();
      peer.socket.ts = 7n;
      peer.socket.transition(8, value(1, ITEMS.map((item) => ({ ...item }))));
    });
    expect(renders).toEqual({ list: 0, rows: [] });
  });

  it("renders only the row of an optimistic update, and again when the server's row takes its place", async () => {
    const { peer, socket, renders, clear } = await listed();
    const optimisticUpdate = (store: OptimisticStore) => {
      const items = store.getQuery("list", {}) as Item[];
      store.setQuery("list", {}, items.map((item) => (item._id === "3" ? { ...item, text: "new" } : item)));
    };
    await done(() => unattended(peer.client.mutation("rename", {}, { optimisticUpdate })));
    expect(renders).toEqual({ list: 1, rows: ["3"] });
    clear();
    await done(() => {
      socket.transition(6, patch(1, new ListEdit([], [3, new MapEdit({ text: "new" })])));
      socket.done(1, 6);
    });
    expect(renders.rows).toEqual(["3"]);
    expect(screen.getByText("new")).toBeDefined();
  });
});

describe("useQueries and useQueryResult", () => {
  it("give values, errors and undefined, by name", async () => {
    const seen: unknown[] = [];
    function Both() {
      seen.push(useQueries({ a: { path: "a", args: { x: 1 } }, b: { path: "b" }, c: "skip" }));
      const { value, error, isLoading } = useQueryResult("b");
      return <p>{isLoading ? "loading" : (error?.message ?? `b ${value}`)}</p>;
    }
    const socket = await page(new Peer(), <Both />);
    expect(seen.at(-1)).toEqual({ a: undefined, b: undefined, c: undefined });
    expect(screen.getByText("loading")).toBeDefined();
    const error = { code: "broken", message: "it broke", data: null };
    await done(() => socket.transition(5, value(1, 1), { type: "QueryFailed", queryId: 2, error }));
    expect(seen.at(-1)).toEqual({ a: 1, b: expect.any(FunctionError), c: undefined });
    expect(screen.getByText("it broke")).toBeDefined();
    const { length } = seen;
    await done(() => socket.transition(6));
    expect(seen).toHaveLength(length);
    await done(() => socket.transition(7, value(2, 2)));
    expect(seen.at(-1)).toEqual({ a: 1, b: 2, c: undefined });
  });
});

describe("useMutation and useAction", () => {
  it("give functions that stay the same", async () => {
    const seen = new Set<unknown>();
    const update = (store: OptimisticStore, { by }: { by: number }) =>
      store.setQuery("count", {}, ((store.getQuery("count", {}) as number) ?? 0) + by);
    let add: (args: { by: number }) => Promise<unknown>;
    let send: () => Promise<unknown>;
    function Adder() {
      const mutation = useMutation("add");
      add = mutation.withOptimisticUpdate(update);
      send = useAction("send");
      seen.add(add).add(mutation).add(send);
      return <p>{`count ${useQuery("count")}`}</p>;
    }
    const socket = await page(new Peer(), <StrictMode><Adder /></StrictMode>);
    await done(() => socket.transition(5, value(1, 1)));
    let result: unknown;
    await done(() => add({ by: 10 }).then((given) => (result = given)));
    expect(screen.getByText("count 11")).toBeDefined();
    await done(() => {
      socket.transition(6, value(1, 12));
      socket.done(socket.last("Mutation").requestId, 6, "ok");
    });
    expect(screen.getByText("count 12")).toBeDefined();
    expect(result).toBe("ok");
    await done(() => unattended(send()));
    expect(socket.last("Action").path).toBe("send");
    expect(seen.size).toBeLessThanOrEqual(6); // StrictMode makes everything twice, and nothing a third time
  });
});

describe("useSuspenseQuery", () => {
  it("suspends until there is a result, and asks only once", async () => {
    function Name() {
      return <p>{useSuspenseQuery("name")}</p>;
    }
    const peer = new Peer();
    const socket = await page(peer, <StrictMode><Suspense fallback={<p>wait</p>}><Name /></Suspense></StrictMode>);
    expect(screen.getByText("wait")).toBeDefined();
    expect(socket.all("ModifyQuerySet").flatMap(({ add }) => add)).toHaveLength(1);
    await done(() => socket.transition(5, value(1, "Ada")));
    expect(screen.getByText("Ada")).toBeDefined();
    await done(() => socket.transition(6, value(1, "Grace")));
    expect(screen.getByText("Grace")).toBeDefined();
    expect(socket.all("ModifyQuerySet").flatMap(({ add, remove }) => [...add, ...remove])).toHaveLength(1);
  });
});

describe("useConnectionState and useAuth", () => {
  it("follow the connection", async () => {
    function State() {
      const { state, isConnected, trouble } = useConnectionState();
      return <p>{`${state} ${isConnected} ${trouble ?? "fine"}`}</p>;
    }
    const peer = new Peer();
    render(<SynoviaProvider client={peer.client}><State /></SynoviaProvider>);
    expect(screen.getByText("connecting false fine")).toBeDefined();
    await done(() => peer.accept());
    expect(screen.getByText("connected true fine")).toBeDefined();
    await done(() => peer.socket.cut());
    expect(screen.getByText("reconnecting false the connection closed (1006)")).toBeDefined();
  });

  it("follow who is signed in", async () => {
    let signIn: (token: string) => Promise<void>;
    let signOut: () => Promise<void>;
    function Who() {
      const auth = useAuth();
      ({ signIn, signOut } = auth);
      return <p>{auth.isLoading ? "loading" : auth.isAuthenticated ? "in" : `out ${auth.error?.code ?? ""}`}</p>;
    }
    const socket = await page(new Peer(), <Who />);
    expect(screen.getByText("out")).toBeDefined();
    await done(() => unattended(signIn("wrong")));
    expect(screen.getByText("loading")).toBeDefined();
    await done(() => socket.refuse());
    expect(screen.getByText("out invalid_token")).toBeDefined();
    await done(() => unattended(signIn("right")));
    await done(() => socket.authenticated());
    expect(screen.getByText("in")).toBeDefined();
    await done(() => unattended(signOut()));
    expect(screen.getByText("out")).toBeDefined();
  });
});

describe("useArray", () => {
  const ref = (fill: number, length: number) => new ArrayRef(new Uint8Array(32).fill(fill), "float64", [length]);

  function answer(socket: PeerSocket, numbers: number[]): void {
    const { requestId, digest } = socket.last("FetchArray");
    socket.tell({ type: "ArrayResponse", requestId, dtype: "float64", shape: [numbers.length], error: null });
    const data = new Uint8Array(Float64Array.from(numbers).buffer);
    socket.samples({ stream: requestId, dtype: "float64", digest, position: 0, length: numbers.length, data });
  }

  function Plot({ growing, points }: { growing?: string; points?: number }) {
    const recording = useQuery("recording") as { samples: ArrayRef } | undefined;
    const { data, isLoading, error } = useArray(recording?.samples, { growing: growing ?? null, points: points ?? null });
    return <p>{`${data ? [...data].join(",") : "none"} ${isLoading ? "loading" : ""}${error?.message ?? ""}`.trim()}</p>;
  }

  it("shows the samples of a reference, and the old ones until the new ones are there", async () => {
    const socket = await page(new Peer(), <StrictMode><Plot points={4} /></StrictMode>);
    expect(screen.getByText("none")).toBeDefined();
    await done(() => socket.transition(5, value(1, { samples: ref(1, 3) })));
    expect(screen.getByText("none loading")).toBeDefined();
    expect(socket.last("FetchArray")).toMatchObject({ points: 4, queryId: 1 });
    await done(() => answer(socket, [1, 2]));
    expect(screen.getByText("1,2")).toBeDefined();
    await done(() => socket.transition(6, value(1, { samples: ref(2, 3) })));
    expect(screen.getByText("1,2 loading")).toBeDefined();
    await done(() => answer(socket, [3, 4]));
    expect(screen.getByText("3,4")).toBeDefined();
    const { length } = socket.all("FetchArray");
    await done(() => socket.transition(7, value(1, { samples: ref(2, 3), other: 1 })));
    expect(socket.all("FetchArray")).toHaveLength(length); // the same samples
  });

  it("fetches only what is new of an array that grows", async () => {
    const socket = await page(new Peer(), <Plot growing="recording 1" />);
    await done(() => socket.transition(5, value(1, { samples: ref(1, 2) })));
    await done(() => answer(socket, [1, 2]));
    for (const [fill, length] of [[2, 3], [3, 4], [4, 7]] as const) {
      await done(() => socket.transition(5 + fill, value(1, { samples: ref(fill, length) })));
      const { start } = socket.last("FetchArray");
      await done(() => answer(socket, Array.from({ length: length - start }, (_, index) => start + index + 1)));
    }
    expect(socket.all("FetchArray").map(({ start }) => start)).toEqual([0, 2, 3, 4]);
    expect(screen.getByText("1,2,3,4,5,6,7")).toBeDefined();
  });

  it("tells why there are none", async () => {
    const socket = await page(new Peer(), <Plot />);
    await done(() => socket.transition(5, value(1, { samples: ref(1, 2) })));
    const { requestId } = socket.last("FetchArray");
    const error = { code: "array_not_found", message: "no such array", data: null };
    await done(() => socket.tell({ type: "ArrayResponse", requestId, dtype: "float64", shape: [], error }));
    expect(screen.getByText("none no such array")).toBeDefined();
  });
});

describe("usePresence", () => {
  function Here({ room, cursor }: { room: string | null; cursor: number }) {
    const { others, me, error } = usePresence("documents:room", room === null ? "skip" : { room }, { cursor });
    return <p>{error ? error.code : `${others.map(({ id }) => id).join(", ") || "nobody"} beside ${me?.id ?? "nothing"}`}</p>;
  }
  const here = (...ids: string[]) => ids.map((id) => ({ type: "PresenceMember" as const, id, who: null, state: null }));
  const update = { type: "PresenceUpdate" as const, roomId: 1, here: [], moved: [], left: [], whole: false, me: null };

  it("is in the room as long as the component is there, and shows each new state", async () => {
    const peer = new Peer();
    const view = render(<Here room="a" cursor={1} />, { wrapper: ({ children }) => <SynoviaProvider client={peer.client}>{children}</SynoviaProvider> });
    await done(() => peer.accept());
    expect(screen.getByText("nobody beside nothing")).toBeDefined();
    await done(() => peer.socket.tell({ ...update, here: here("me", "you"), whole: true, me: "me" }));
    expect(screen.getByText("you beside me")).toBeDefined();
    peer.clock.advance(50);
    await done(() => view.rerender(<Here room="a" cursor={2} />));
    expect(peer.socket.all("PresenceState")).toMatchObject([{ roomId: 1, state: { cursor: 2 } }]);
    await done(() => view.rerender(<Here room="b" cursor={2} />));
    expect(peer.socket.last("PresenceLeave")).toMatchObject({ roomId: 1 });
    expect(peer.socket.last("PresenceJoin")).toMatchObject({ roomId: 2, args: { room: "b" }, state: { cursor: 2 } });
    await done(() => peer.socket.tell({ type: "PresenceEnded", roomId: 2, error: { code: "not_found", message: "", data: null } }));
    expect(screen.getByText("not_found")).toBeDefined();
    await done(() => view.rerender(<Here room={null} cursor={2} />));
    expect(screen.getByText("nobody beside nothing")).toBeDefined();
    await done(() => view.unmount());
    expect(peer.socket.all("PresenceJoin")).toHaveLength(2);
  });

  it("joins one room under StrictMode", async () => {
    const peer = new Peer();
    const socket = await page(peer, <StrictMode><Here room="a" cursor={1} /></StrictMode>);
    expect(socket.all("PresenceJoin")).toHaveLength(1);
  });
});
