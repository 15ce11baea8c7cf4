/** Signing in, and staying signed in. */
import { describe, expect, it, vi } from "vitest";
import { AuthenticationError, ConnectionLost, type TokenSet } from "../src/index.js";
import { Peer, unattended, value, type PeerSocket } from "./peer.js";
import { settled, until } from "./until.js";

const offered = (socket: PeerSocket) => socket.all("Authenticate").map(({ token }) => token);

describe("tokens", () => {
  it("are asked for on every connection", async () => {
    let asked = 0;
    const peer = new Peer({ token: async () => `token ${++asked}` });
    await peer.accept();
    peer.socket.authenticated();
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: true, error: null });
    await peer.reconnect();
    expect(offered(peer.socket)).toEqual(["token 2"]);
    expect(peer.client.auth.isAuthenticated).toBe(true); // no flicker of the page over a break
  });

  it("hold everything else back until they are there", async () => {
    let give = (_: string): void => undefined;
    const peer = new Peer({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    unattended(peer.client.query("q"));
    await peer.accept();
    expect(peer.socket.received.map((message) => message.type)).toEqual(["Connect"]);
    give("late");
    await settled();
    expect(peer.socket.received.map((message) => message.type)).toEqual(["Connect", "Authenticate", "Ping", "ModifyQuerySet"]);
  });

  it("that never come do not stop the client for good", async () => {
    const peer = new Peer({ token: () => new Promise<string>(() => undefined) });
    await peer.accept();
    peer.clock.advance(10_000);
    await settled();
    expect(peer.socket.closedWith).toBe(1000);
    expect(peer.client.trouble).toMatch(/no token came within 10000 ms/);
    peer.clock.advance(1_000);
    expect(peer.sockets).toHaveLength(2);
  });

  it("whose function throws are asked for again on the next connection", async () => {
    let asked = 0;
    const peer = new Peer({ token: () => (asked++ ? "token" : Promise.reject(new Error("offline"))) });
    await peer.accept();
    expect(peer.client.trouble).toMatch(/the token callable failed: offline/);
    peer.clock.advance(1_000);
    await peer.accept();
    expect(offered(peer.socket)).toEqual(["token"]);
  });

  it("are renewed once when refused, on another connection, and then given up", async () => {
    let asked = 0;
    const peer = new Peer({ token: () => `token ${++asked}` });
    await peer.accept();
    peer.socket.refuse();
    expect(peer.sockets[0]!.closedWith).toBe(1000);
    await peer.accept();
    expect(peer.sockets.map(offered)).toEqual([["token 1"], ["token 2"]]);
    expect(peer.client.auth.isLoading).toBe(true);
    peer.socket.refuse();
    await settled();
    expect(peer.sockets).toHaveLength(2);
    expect(offered(peer.socket)).toEqual(["token 2", null]); // it goes on as nobody
    expect(peer.client.auth).toMatchObject({ isLoading: false, isAuthenticated: false, error: { code: "invalid_token" } });
  });

  it("given by the server are used from then on, renewed in time, and kept", async () => {
    let kept: TokenSet | null = null;
    const tokens = { load: () => kept, save: (set: TokenSet | null) => void (kept = set) };
    const peer = new Peer({ token: "google", tokens });
    await peer.accept(peer.clock.date() + 5_000); // the server's clock is ahead
    const expiresAt = peer.clock.date() + 5_000 + 900_000;
    peer.socket.authenticated({ token: "access 1", refreshToken: "refresh 1", expiresAt });
    expect(kept).toEqual({ token: "access 1", refreshToken: "refresh 1", expiresAt });
    await peer.reconnect();
    expect(offered(peer.socket)).toEqual(["access 1"]);
    peer.socket.welcome(peer.clock.date() + 5_000);
    peer.socket.authenticated({ expiresAt });
    for (let minutes = 0; minutes < 14; minutes += 0.1) {
      peer.clock.advance(6_000);
      await settled();
      peer.socket.tell({ type: "Pong", nonce: peer.socket.last("Ping")?.nonce ?? 0 });
    }
    expect(offered(peer.socket)).toEqual(["access 1", "refresh 1"]);
    peer.socket.authenticated({ token: "access 2", refreshToken: "refresh 2", expiresAt: expiresAt + 900_000 });
    expect(kept).toMatchObject({ token: "access 2" });
    peer.client.close();

    const reloaded = new Peer({ tokens });
    expect(reloaded.client.auth.isLoading).toBe(true);
    await reloaded.accept();
    expect(offered(reloaded.socket)).toEqual(["access 2"]);
    reloaded.socket.refuse(); // it has expired meanwhile
    await reloaded.accept();
    expect(offered(reloaded.socket)).toEqual(["refresh 2"]);
    reloaded.socket.refuse();
    await settled();
    expect(reloaded.client.auth).toMatchObject({ isAuthenticated: false, isLoading: false });
    expect(kept).toBe(null);
  });

  it("that expire without another leave nobody signed in", async () => {
    const peer = new Peer({ token: "once" });
    await peer.accept(peer.clock.date());
    peer.socket.authenticated({ expiresAt: peer.clock.date() + 5_000 });
    expect(peer.client.auth.isAuthenticated).toBe(true);
    peer.clock.advance(5_000);
    expect(peer.client.auth).toMatchObject({ isAuthenticated: false, error: { code: "unauthenticated" } });
  });

  it("can be replaced: signing in waits for the server's word", async () => {
    const peer = new Peer();
    await peer.accept();
    const wrong = peer.client.authenticate("wrong");
    expect(peer.client.auth.isLoading).toBe(true);
    await settled();
    peer.socket.refuse();
    await expect(wrong).rejects.toBeInstanceOf(AuthenticationError);
    const right = peer.client.authenticate("right");
    await settled();
    peer.socket.authenticated();
    await right;
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: true, error: null });
    const out = peer.client.authenticate(null);
    await settled();
    peer.socket.tell({ type: "Pong", nonce: peer.socket.last("Ping").nonce });
    await out;
    expect(offered(peer.socket)).toEqual(["wrong", null, "right", null]); // refused, it goes on as nobody
    expect(peer.client.auth.isAuthenticated).toBe(false);
  });

  it("follow the server when it ends the session, and come back when it could only not look", async () => {
    const peer = new Peer({ token: "google" });
    await peer.accept();
    peer.socket.authenticated({ token: "access", refreshToken: "refresh" });
    peer.socket.refuse("server_error");
    expect(peer.client.trouble).toMatch(/could not verify the token/);
    peer.clock.advance(500);
    await peer.accept();
    expect(offered(peer.socket)).toEqual(["access"]);
    peer.socket.authenticated();
    expect(peer.client.auth.isAuthenticated).toBe(true);
    for (const _ of ["access", "refresh", "google"]) {
      peer.socket.refuse(); // the session was revoked
      await settled();
    }
    expect(offered(peer.socket)).toEqual(["access", "refresh", "google", null]);
    expect(peer.client.auth).toMatchObject({ isLoading: false, isAuthenticated: false, error: { code: "invalid_token" } });
  });

  it("renewed by another page are taken over, and so is its signing out", async () => {
    const set = (number: number) => ({ token: `access ${number}`, refreshToken: `refresh ${number}`, expiresAt: null });
    let kept: TokenSet | null = set(1);
    const tokens = { load: () => kept, save: (set: TokenSet | null) => void (kept = set) };
    const peer = new Peer({ tokens });
    await peer.accept();
    peer.socket.authenticated();
    kept = set(2);
    peer.socket.refuse();
    await settled();
    expect(offered(peer.socket)).toEqual(["access 1", "access 2"]);
    peer.socket.authenticated();
    expect(kept).toEqual(set(2));
    kept = null;
    await peer.reconnect();
    expect(offered(peer.socket)).toEqual([null]);
  });

  it("of a server that only refuses are taken when it says nothing", async () => {
    const peer = new Peer({ token: "token" });
    await peer.accept();
    peer.socket.tell({ type: "Pong", nonce: peer.socket.last("Ping").nonce });
    expect(peer.client.auth.isAuthenticated).toBe(true);
  });
});

describe("a server that could not look at a token", () => {
  it.each(["timeout", "server_error", "overloaded"])("is asked again after %s, and nothing runs as nobody", async (code) => {
    const peer = new Peer({ token: "slow to verify" });
    const calls = [peer.client.mutation("m", {}), peer.client.action("a", {})];
    for (let attempt = 0; attempt < 3; attempt++) {
      await peer.accept();
      peer.socket.refuse(code);
      expect(peer.client.auth).toEqual({ isLoading: true, isAuthenticated: false, error: null });
      expect(peer.client.trouble).toMatch(/could not verify the token/);
      expect(peer.socket.all("Mutation")).toEqual([]);
      const { length } = peer.sockets;
      while (peer.sockets.length === length) peer.clock.advance(50);
    }
    await peer.accept();
    expect(peer.socket.received.map(({ type }) => type)).toEqual(["Connect", "Authenticate", "Ping"]); // not known yet as whom
    peer.socket.authenticated();
    await settled();
    peer.socket.done(1, 5, "done");
    peer.socket.tell({ type: "ActionResponse", requestId: 2, result: "done", error: null });
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
  });

  it("says when it may be tried again", async () => {
    const peer = new Peer({ token: "token" });
    await peer.accept();
    peer.socket.refuse("rate_limited", { retryAfter: 4.5 });
    peer.clock.advance(4_499);
    expect(peer.sockets).toHaveLength(1);
    peer.clock.advance(1);
    expect(peer.sockets).toHaveLength(2);
  });

  it("shows nothing of what nobody may see", async () => {
    const peer = new Peer({ token: "token" });
    const shown: unknown[] = [];
    peer.client.onUpdate("mine", {}, (value) => shown.push(value), (error) => shown.push(error));
    const first = await peer.accept();
    expect(first.last("ModifyQuerySet").add).toHaveLength(1); // behind the token, before the verdict
    first.refuse("timeout");
    first.transition(5, { type: "QueryFailed", queryId: 1, error: { code: "unauthenticated", message: "", data: null } });
    while (peer.sockets.length === 1) peer.clock.advance(50);
    await peer.accept();
    peer.socket.authenticated();
    peer.socket.transition(6, value(1, "mine"));
    await settled();
    expect(shown).toEqual(["mine"]);
  });
});

describe("what was called as somebody", () => {
  it("fails when the token is refused, and what is called afterwards runs as nobody", async () => {
    const peer = new Peer({ token: "forged" });
    const calls = [peer.client.mutation("m", {}), peer.client.action("a", {}), peer.client.mutation("p", { samples: new Float64Array(3) })];
    await peer.accept();
    const failed = calls.map((call) => expect(call).rejects.toMatchObject({ code: "unauthenticated", message: expect.stringContaining("not run") }));
    peer.socket.refuse();
    await Promise.all(failed);
    expect(peer.socket.all("Mutation")).toEqual([]);
    unattended(peer.client.mutation("public", {}));
    await settled();
    expect(peer.socket.all("Mutation")).toMatchObject([{ path: "public" }]);
  });

  it("fails when they sign out, and when a retry finds nobody signed in", async () => {
    const peer = new Peer({ token: "token" });
    await peer.accept();
    peer.socket.authenticated();
    const sent = peer.client.mutation("sent", {});
    await settled();
    expect(peer.socket.all("Mutation")).toHaveLength(1);
    peer.socket.cut();
    const waiting = peer.client.mutation("waiting", {});
    const lost = [expect(sent).rejects.toBeInstanceOf(ConnectionLost), expect(waiting).rejects.toMatchObject({ code: "unauthenticated" })];
    unattended(peer.client.authenticate(null));
    while (peer.sockets.length === 1) peer.clock.advance(50);
    await peer.accept();
    await Promise.all(lost);
    expect(peer.socket.all("Mutation")).toEqual([]);
  });

  it("runs as nobody when the function has no token, but not what was called when it had one", async () => {
    const tokens = [null, "one", null];
    const peer = new Peer({ token: () => tokens.shift()! });
    const early = peer.client.mutation("early", {});
    await peer.accept();
    peer.socket.pong();
    await settled();
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: false, error: null });
    peer.socket.done(1, 1, "done");
    expect(await early).toBe("done");
    await peer.reconnect();
    peer.socket.welcome();
    peer.socket.authenticated();
    expect(peer.client.auth.isAuthenticated).toBe(true);
    const { length } = peer.sockets;
    peer.socket.cut();
    const failed = expect(peer.client.mutation("m", {})).rejects.toMatchObject({ code: "unauthenticated" });
    while (peer.sockets.length === length) peer.clock.advance(50);
    await peer.accept();
    peer.socket.pong();
    await failed;
    expect(peer.client.auth.isAuthenticated).toBe(false);
  });

  const LATE = { code: "unauthenticated", message: "the sign-in has ended", data: { signedOut: true } };

  it.each([["is sent again", "two"], ["fails", null]])("and arrived just after the session had ended %s", async (_, next) => {
    const tokens = ["one", next];
    const peer = new Peer({ token: next ? () => tokens.shift()! : "one" });
    await peer.accept();
    peer.socket.authenticated();
    const call = peer.client.mutation("m", {});
    const outcome = next ? expect(call).resolves.toBe("done") : expect(call).rejects.toMatchObject({ message: expect.stringContaining("not run") });
    await settled();
    peer.socket.refuse(); // unasked: it has ended
    peer.socket.tell({ type: "MutationResponse", requestId: 1, ts: null, result: null, error: LATE });
    await settled();
    if (next) {
      peer.socket.authenticated();
      await settled();
      expect(peer.socket.all("Mutation")).toHaveLength(2);
      peer.socket.done(1, 5, "done");
    }
    await outcome;
  });

  it("waits for a token that comes after the welcome", async () => {
    let give = (_: string): void => undefined;
    const peer = new Peer({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    unattended(peer.client.mutation("m", {}));
    await peer.accept();
    give("late");
    await settled();
    expect(peer.socket.all("Mutation")).toEqual([]);
    peer.socket.authenticated();
    await settled();
    expect(peer.socket.all("Mutation")).toHaveLength(1);
  });

  it("is not sent in the time between two tokens", async () => {
    let give = (_: string): void => undefined;
    const peer = new Peer({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    await peer.accept();
    give("one");
    await settled();
    peer.socket.authenticated();
    peer.socket.refuse(); // the session has ended
    unattended(peer.client.mutation("m", {}));
    await settled();
    give("two");
    await settled();
    expect(peer.socket.all("Mutation")).toEqual([]);
    peer.socket.authenticated();
    await settled();
    expect(peer.socket.all("Mutation")).toHaveLength(1);
  });
});

describe("answers", () => {
  it("to a token that was replaced meanwhile count for nothing", async () => {
    const peer = new Peer();
    await peer.accept();
    unattended(peer.client.authenticate("ada"));
    await settled();
    const pingOfAda = peer.socket.last("Ping").nonce;
    unattended(peer.client.authenticate("ben"));
    peer.socket.tell({ type: "Authenticated", token: "ada's own", refreshToken: "ada's refresh", expiresAt: null });
    peer.socket.tell({ type: "Pong", nonce: pingOfAda });
    await settled();
    peer.socket.authenticated();
    expect(peer.client.auth.isAuthenticated).toBe(true);
    await peer.reconnect();
    expect(offered(peer.socket)).toEqual(["ben"]);
  });

  it("that cross a new token are not taken for its refusal", async () => {
    const peer = new Peer({ token: "old" });
    await peer.accept();
    peer.socket.authenticated();
    const signingIn = peer.client.authenticate("new");
    await settled();
    peer.socket.tell({ type: "AuthError", error: { code: "invalid_token", message: "the old one has expired", data: null } });
    peer.socket.authenticated();
    await signingIn;
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: true, error: null });
  });
});

describe("signing out", () => {
  it("ends the session below the path of the hub, and again when the server says that it was too much", async () => {
    const asked: string[] = [];
    const answers = [new Response(null, { status: 429, headers: { "retry-after": "7" } }), new Response(null, { status: 204 })];
    vi.stubGlobal("fetch", async (url: string) => (asked.push(url), answers.shift()!));
    const peer = new Peer({ token: "google" }, "ws://hub/sync-api");
    await peer.accept();
    peer.socket.authenticated({ token: "own" });
    const out = peer.client.signOut();
    await until(() => asked.length === 1);
    await settled();
    peer.socket.pong();
    peer.clock.advance(7_000);
    await out;
    expect(asked).toEqual(Array(2).fill("http://hub/sync-api/auth/sign-out"));
    vi.unstubAllGlobals();
  });

  it("is no failure when the server tells of the end of the session before it answers", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    const peer = new Peer({ token: "google" });
    await peer.accept();
    peer.socket.authenticated({ token: "own" });
    const out = peer.client.signOut();
    await settled();
    peer.socket.tell({ type: "AuthError", error: { code: "invalid_token", message: "the session has ended", data: null } });
    peer.socket.pong();
    await out;
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: false, error: null });
    vi.unstubAllGlobals();
  });
});
