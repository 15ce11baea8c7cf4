// @vitest-environment jsdom
/** Uploading in a component, on a real hub. */
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { SynoviaClient } from "../../src/index.js";
import { SynoviaProvider, useUpload, type Upload } from "../../src/react/index.js";
import { noHub, startHub, type Hub } from "../hub.js";

const SIZE = 2_900_000;

describe.skipIf(noHub)(`useUpload on a real hub${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  let client: SynoviaClient;
  let seen: Upload;
  let requests: string[];
  const real = globalThis.fetch;

  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());
  beforeEach(() => {
    client = new SynoviaClient(hub.url, { WebSocket, token: "dev:ada@example.org" });
    requests = [];
    globalThis.fetch = async (input, init) => {
      requests.push(init!.method!);
      return real(input, { ...init, body: await plain(init!.body), signal: null });
    };
  });
  afterEach(() => {
    cleanup();
    client.close();
    globalThis.fetch = real;
  });

  /** Node's fetch knows no blob of jsdom. */
  async function plain(body: BodyInit | null | undefined): Promise<BodyInit | null> {
    if (!(body instanceof Blob)) return body ?? null;
    return new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(new Uint8Array(reader.result as ArrayBuffer));
      reader.readAsArrayBuffer(body);
    });
  }

  function Scan() {
    seen = useUpload("items:add_picture");
    return <p>{`${seen.status} ${seen.sent} of ${seen.total}`}</p>;
  }

  function page() {
    return render(<SynoviaProvider client={client}><Scan /></SynoviaProvider>);
  }

  const picture = (size = SIZE, type = "image/png"): File => new File([new Uint8Array(size).fill(7)], "knee.png", { type });
  const begin = (file: File, options = {}): Promise<unknown> => {
    let begun: Promise<unknown> = Promise.resolve();
    act(() => void (begun = seen.start(file, options)));
    begun.catch(() => undefined);
    return begun;
  };
  const shows = (text: string | RegExp) => waitFor(() => expect(screen.getByText(text)).toBeDefined(), { timeout: 20_000 });

  it("shows how far an upload is, and gives what a mutation takes", async () => {
    page();
    expect(screen.getByText("idle 0 of 0")).toBeDefined();
    const done = begin(picture());
    await shows(`done ${SIZE} of ${SIZE}`);
    expect(seen.upload).toBe(await done);
    const id = await client.mutation("items:add_picture", { picture: seen.upload });
    expect(await client.query("items:picture", { id })).toContain("/api/files/");
  });

  it("sends nothing while it is paused, and goes on from there", async () => {
    page();
    begin(picture(), { onProgress: (sent: number) => sent > 0 && sent < SIZE && seen.status === "sending" && act(() => seen.pause()) });
    await shows(/^paused [1-9]/);
    const { sent } = seen;
    const before = requests.length;
    await act(async () => client.query("items:count", {}).catch(() => null)); // the hub has answered something else meanwhile
    expect([seen.sent, requests.length]).toEqual([sent, before]);
    act(() => seen.resume());
    await shows(`done ${SIZE} of ${SIZE}`);
  });

  it("is cancelled, by whoever asks for it or because the component goes", async () => {
    const view = page();
    const first = begin(picture(), { onProgress: (sent: number) => sent > 0 && sent < SIZE && act(() => seen.cancel()) });
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    expect(screen.getByText("idle 0 of 0")).toBeDefined();
    await waitFor(() => expect(requests.at(-1)).toBe("DELETE"));
    const second = begin(picture());
    view.unmount();
    await expect(second).rejects.toMatchObject({ name: "AbortError" });
  });

  it("says why a file is not taken, and begins anew with the next one", async () => {
    page();
    begin(picture(10, "text/html"));
    await shows("failed 0 of 10");
    expect(seen.error).toMatchObject({ code: "file_type_refused" });
    begin(picture(1000));
    await shows("done 1000 of 1000");
    expect(seen.error).toBeNull();
  });
});
