/** A server that is wrong, or means harm: no word of it keeps a page busy, waiting for years, or growing. */
import { afterEach, expect, it, vi } from "vitest";
import { Backoff } from "../src/backoff.js";
import { systemClock } from "../src/clock.js";
import { Reconnection } from "../src/reconnection.js";
import { ServerTime } from "../src/server-time.js";
import { timeToWait } from "../src/throttle.js";
import { ManualClock } from "./manual-clock.js";
import { Peer } from "./peer.js";
import { settled } from "./until.js";

const longest = () => 1;

afterEach(() => vi.useRealTimers());

it("does not take a wait of years for none", () => {
  vi.useFakeTimers();
  const run = vi.fn();
  for (const wait of [2 ** 31, 1e300, Infinity]) systemClock.after(wait, run);
  vi.advanceTimersByTime(1000);
  expect(run).not.toHaveBeenCalled();
});

it("pauses before it comes back to a server that stops again and again, and waits no years", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  expect([0, 1, 2].map((now) => reconnection.afterStop(now, 0))).toEqual([100, 100, 100]);
  expect(reconnection.afterFailure(20_000, null, 1e-9)).toBe(100);
  expect(reconnection.afterStop(30_000, 1e300)).toBe(300_000);
  expect(reconnection.afterFailure(30_001, 30_000, Infinity)).toBe(300_000);
});

it("tries tokens that a server gives and refuses later and later", async () => {
  const peer = new Peer({ token: "theirs", random: longest });
  for (let tried = 1; tried <= 5; tried++) {
    const socket = await peer.accept();
    expect(peer.sockets).toHaveLength(tried);
    socket.tell({ type: "Authenticated", token: "new", refreshToken: "another", expiresAt: 2 ** 62 });
    socket.tell({ type: "AuthError", error: { code: "invalid_token", message: "no", data: null } });
  }
  expect(peer.sockets).toHaveLength(5);
  peer.clock.advance(499);
  expect(peer.sockets).toHaveLength(5);
  peer.clock.advance(1);
  expect(peer.sockets).toHaveLength(6);
});

it("takes no idle timeout of nothing for a reason to ping without end", async () => {
  const peer = new Peer();
  peer.socket.open();
  peer.socket.tell({ type: "Welcome", version: 1, maxMessageBytes: 1 << 20, idleTimeout: 1e-9, serverTime: null });
  peer.clock.advance(49);
  await settled();
  expect(peer.socket.all("Ping")).toHaveLength(0);
  peer.clock.advance(1);
  await settled();
  expect(peer.socket.all("Ping")).toHaveLength(1);
});

it("waits a little before a call that a limit has refused without a wait", () => {
  expect(timeToWait({ code: "rate_limited", message: "too often", data: { retryAfter: 0 } })).toBe(20);
});

it("sends a mutation later and later that is refused as nobody's again and again", async () => {
  const peer = new Peer();
  const socket = await peer.accept();
  const call = peer.client.mutation("add");
  await settled();
  const refuse = async () => {
    const { requestId } = socket.last("Mutation");
    const error = { code: "unauthenticated", message: "you are nobody", data: { signedOut: true } };
    socket.tell({ type: "MutationResponse", requestId, ts: null, result: null, error });
    await settled();
  };
  await refuse();
  let sent = 2;
  for (const wait of [80, 160, 320]) {
    await refuse();
    peer.clock.advance(wait - 1);
    await settled();
    expect(socket.all("Mutation")).toHaveLength(sent);
    peer.clock.advance(1);
    await settled();
    expect(socket.all("Mutation")).toHaveLength(++sent);
  }
  socket.done(socket.last("Mutation").requestId, 1, "done");
  await expect(call).resolves.toBe("done");
});

it("does not believe a clock that shows no time", () => {
  const time = new ServerTime(new ManualClock());
  time.learn(253_402_300_799_999);
  expect(time.now()).toBe(253_402_300_799_999);
  time.learn(2 ** 63);
  expect(time.now()).toBeNull();
});
