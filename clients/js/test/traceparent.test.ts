/** What the program traces goes along with its calls. */
import { expect, it, vi } from "vitest";
import { Peer, unattended } from "./peer.js";
import { settled } from "./until.js";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** What was sent of a query that is asked once, one that is subscribed to, a mutation with an array and an action. */
async function sent(traceparent: () => string | null = () => null) {
  const peer = new Peer({ traceparent });
  const { client } = peer;
  client.onUpdate("a:live", {}, () => undefined);
  unattended(client.query("a:once", {}));
  unattended(client.mutation("a:write", { samples: new Float64Array(3) }));
  unattended(client.action("a:act", {}));
  const socket = await peer.accept();
  while (!socket.all("Mutation").length) await settled();
  const [live, once] = socket.last("ModifyQuerySet").add;
  return [live, once, socket.last("Mutation"), socket.last("Action")].map((message) => message?.traceparent);
}

it("calls name the trace that they are part of, subscriptions do not", async () => {
  expect(await sent(() => TRACEPARENT)).toEqual([null, TRACEPARENT, TRACEPARENT, TRACEPARENT]);
});

it("it is asked for in the caller's turn, and sent again with a retry", async () => {
  let current: string | null = TRACEPARENT;
  const peer = new Peer({ traceparent: () => current });
  unattended(peer.client.mutation("a:write", {}));
  current = null;
  await peer.accept();
  const again = await peer.reconnect();
  again.welcome();
  await settled();
  expect(again.last("Mutation")).toMatchObject({ retry: true, traceparent: TRACEPARENT });
});

it("without one, or with what is no text, nothing is sent; what it throws is reported", async () => {
  const nothing = [null, null, null, null];
  expect(await sent()).toEqual(nothing);
  expect(await sent((() => 5) as never)).toEqual(nothing);
  const reported = vi.spyOn(console, "error").mockReturnValue();
  const fails = (): never => {
    throw new Error("no");
  };
  expect(await sent(fails)).toEqual(nothing);
  expect(reported).toHaveBeenCalledTimes(3);
  reported.mockRestore();
});
