/** When the client comes back: at once after an orderly stop, later and later after failures. */
import { expect, it } from "vitest";
import { Backoff } from "../src/backoff.js";
import { Reconnection } from "../src/reconnection.js";
import { Peer } from "./peer.js";

const longest = () => 1;

it("does not count stops", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  for (let now = 0; now < 10_000; now += 1_000) expect(reconnection.afterStop(now, 300)).toBe(300);
  expect(reconnection.afterFailure(20_000, 19_000, 0)).toBe(500);
});

it("tries a server that is starting again soon, and one that does not come as after any failure", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  reconnection.afterStop(0, 300);
  for (let now = 0; now < 15_000; now += 500) expect(reconnection.afterFailure(now, null, 0)).toBe(500);
  expect([0, 0, 0].map(() => reconnection.afterFailure(15_000, null, 0))).toEqual([500, 1_000, 2_000]);
});

it("spreads the clients of a large server while it starts", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  reconnection.afterStop(0, 3_000);
  expect(reconnection.afterFailure(1_000, null, 0)).toBe(3_000);
});

it("takes a server that breaks right after its start for one that has failed", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  reconnection.afterStop(0, 300);
  expect([0, 0, 0].map(() => reconnection.afterFailure(1_000, 900, 0))).toEqual([500, 1_000, 2_000]);
});

it("comes back when a server says that did not let it in, however often", () => {
  const reconnection = new Reconnection(new Backoff(), longest);
  for (let now = 0; now < 8_000; now += 1_000) expect(reconnection.afterFailure(now, null, 2_000)).toBe(2_000);
  expect(reconnection.afterFailure(20_000, 19_000, 0)).toBe(500);
});

it("follows many reloads in a row at once", async () => {
  const peer = new Peer({ random: longest });
  for (let reload = 1; reload <= 6; reload++) {
    const socket = await peer.accept();
    socket.tell({ type: "FatalError", error: { code: "stopping", message: "", data: null }, retryAfter: 0.2 });
    peer.clock.advance(200);
    expect(peer.sockets).toHaveLength(reload + 1);
  }
});
