// @vitest-environment jsdom
/** A shared document in a component, over a server that does what the test says. */
import { act, cleanup, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, expect, it } from "vitest";
import * as Y from "yjs";
import { SynoviaProvider } from "../../src/react/index.js";
import { useSharedDoc } from "../../src/yjs/react.js";
import { Peer, value } from "../peer.js";
import { settled } from "../until.js";

afterEach(cleanup);

const done = (happens?: () => unknown) =>
  act(async () => {
    happens?.();
    await settled();
  });

function Page({ id }: { id: string | null }) {
  const { doc, synced, error } = useSharedDoc(id === null ? "skip" : { query: "plans:text", mutation: "plans:write", args: { id } });
  return <p>{error ? "failed" : !doc ? "nothing" : synced ? doc.getText("text").toString() : "loading"}</p>;
}

it("is open while the component is there, and another one for other arguments", async () => {
  const peer = new Peer();
  const view = render(<Page id="a" />, {
    wrapper: ({ children }) => <StrictMode><SynoviaProvider client={peer.client}>{children}</SynoviaProvider></StrictMode>,
  });
  const socket = await peer.accept();
  await done();
  expect(screen.getByText("loading")).toBeDefined();
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "hello");
  const asked = (): { queryId: number; args: { id: string; since?: number } }[] =>
    socket.all("ModifyQuerySet").flatMap((message) => (message as unknown as { add: { queryId: number; args: { id: string; since?: number } }[] }).add);
  const [whole] = asked().slice(-1);
  expect(whole!.args).toEqual({ id: "a" });
  await done(() => socket.transition(5, value(whole!.queryId, { segment: 0, states: [Y.encodeStateAsUpdate(doc)], updates: {} })));
  expect(screen.getByText("hello")).toBeDefined();
  expect(asked().at(-1)!.args).toEqual({ id: "a", since: 0 });
  await done(() => view.rerender(<Page id="b" />));
  expect(screen.getByText("loading")).toBeDefined();
  expect(asked().at(-1)!.args).toEqual({ id: "b" });
  await done(() => view.rerender(<Page id={null} />));
  expect(screen.getByText("nothing")).toBeDefined();
});
