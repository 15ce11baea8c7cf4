/** Signing in, and staying signed in. */
import { describe, expect, it } from "vitest";
import { AuthenticationError, type TokenSet } from "../src/index.js";
import { Peer, unattended, type PeerSocket } from "./peer.js";
import { settled } from "./until.js";

function authenticated(socket: PeerSocket, tokens: Partial<TokenSet> = {}): void {
  socket.tell({ type: "Authenticated", token: null, refreshToken: null, expiresAt: null, ...tokens });
}

function refused(socket: PeerSocket, code = "invalid_token"): void {
  socket.tell({ type: "AuthError", error: { code, message: "no", data: null } });
}

const offered = (socket: PeerSocket) => socket.all("Authenticate").map(({ token }) => token);

describe("tokens", () => {
  it("are asked for on every connection", async () => {
    let asked = 0;
    const peer = new Peer({ token: async () => `token ${++asked}` });
    await peer.accept();
    authenticated(peer.socket);
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

  it("are renewed once when refused, and then given up", async () => {
    let asked = 0;
    const peer = new Peer({ token: () => `token ${++asked}` });
    await peer.accept();
    refused(peer.socket);
    await settled();
    expect(offered(peer.socket)).toEqual(["token 1", "token 2"]);
    expect(peer.client.auth.isLoading).toBe(true);
    refused(peer.socket);
    await settled();
    expect(offered(peer.socket)).toHaveLength(2);
    expect(peer.client.auth).toMatchObject({ isLoading: false, isAuthenticated: false, error: { code: "invalid_token" } });
  });

  it("given by the server are used from then on, renewed in time, and kept", async () => {
    let kept: TokenSet | null = null;
    const tokens = { load: () => kept, save: (set: TokenSet | null) => void (kept = set) };
    const peer = new Peer({ token: "google", tokens });
    await peer.accept(peer.clock.date() + 5_000); // the server's clock is ahead
    const expiresAt = peer.clock.date() + 5_000 + 900_000;
    authenticated(peer.socket, { token: "access 1", refreshToken: "refresh 1", expiresAt });
    expect(kept).toEqual({ token: "access 1", refreshToken: "refresh 1", expiresAt });
    await peer.reconnect();
    expect(offered(peer.socket)).toEqual(["access 1"]);
    peer.socket.welcome(peer.clock.date() + 5_000);
    authenticated(peer.socket, { expiresAt });
    for (let minutes = 0; minutes < 14; minutes += 0.1) {
      peer.clock.advance(6_000);
      await settled();
      peer.socket.tell({ type: "Pong", nonce: peer.socket.last("Ping")?.nonce ?? 0 });
    }
    expect(offered(peer.socket)).toEqual(["access 1", "refresh 1"]);
    authenticated(peer.socket, { token: "access 2", refreshToken: "refresh 2", expiresAt: expiresAt + 900_000 });
    expect(kept).toMatchObject({ token: "access 2" });
    peer.client.close();

    const reloaded = new Peer({ tokens });
    expect(reloaded.client.auth.isLoading).toBe(true);
    await reloaded.accept();
    expect(offered(reloaded.socket)).toEqual(["access 2"]);
    refused(reloaded.socket); // it has expired meanwhile
    await settled();
    expect(offered(reloaded.socket)).toEqual(["access 2", "refresh 2"]);
    refused(reloaded.socket);
    await settled();
    expect(reloaded.client.auth).toMatchObject({ isAuthenticated: false, isLoading: false });
    expect(kept).toBe(null);
  });

  it("that expire without another leave nobody signed in", async () => {
    const peer = new Peer({ token: "once" });
    await peer.accept(peer.clock.date());
    authenticated(peer.socket, { expiresAt: peer.clock.date() + 5_000 });
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
    refused(peer.socket);
    await expect(wrong).rejects.toBeInstanceOf(AuthenticationError);
    const right = peer.client.authenticate("right");
    await settled();
    authenticated(peer.socket);
    await right;
    expect(peer.client.auth).toEqual({ isLoading: false, isAuthenticated: true, error: null });
    const out = peer.client.authenticate(null);
    await settled();
    peer.socket.tell({ type: "Pong", nonce: peer.socket.last("Ping").nonce });
    await out;
    expect(offered(peer.socket)).toEqual(["wrong", "right", null]);
    expect(peer.client.auth.isAuthenticated).toBe(false);
  });

  it("follow the server when it ends the session, and come back when it could only not look", async () => {
    const peer = new Peer({ token: "google" });
    await peer.accept();
    authenticated(peer.socket, { token: "access", refreshToken: "refresh" });
    refused(peer.socket, "server_error");
    await settled();
    expect(peer.client.auth).toMatchObject({ isAuthenticated: false, error: { code: "server_error" } });
    peer.clock.advance(5_000);
    await settled();
    expect(offered(peer.socket)).toEqual(["google", "access"]);
    authenticated(peer.socket);
    expect(peer.client.auth.isAuthenticated).toBe(true);
    for (const _ of ["access", "refresh", "google"]) {
      refused(peer.socket); // the session was revoked
      await settled();
    }
    expect(offered(peer.socket)).toEqual(["google", "access", "refresh", "google"]);
    expect(peer.client.auth).toMatchObject({ isLoading: false, isAuthenticated: false, error: { code: "invalid_token" } });
  });

  it("renewed by another page are taken over, and so is its signing out", async () => {
    const set = (number: number) => ({ token: `access ${number}`, refreshToken: `refresh ${number}`, expiresAt: null });
    let kept: TokenSet | null = set(1);
    const tokens = { load: () => kept, save: (set: TokenSet | null) => void (kept = set) };
    const peer = new Peer({ tokens });
    await peer.accept();
    authenticated(peer.socket);
    kept = set(2);
    refused(peer.socket);
    await settled();
    expect(offered(peer.socket)).toEqual(["access 1", "access 2"]);
    authenticated(peer.socket);
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
