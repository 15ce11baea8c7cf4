/** Files with the client, on a real hub. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { SynoviaClient, type ClientOptions, type UploadId } from "../src/index.js";
import { noHub, startHub, type Hub } from "./hub.js";

describe.skipIf(noHub)(`files on a real hub${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  const clients: SynoviaClient[] = [];
  const real = globalThis.fetch;

  beforeAll(async () => {
    hub = await startHub();
  }, 60_000);
  afterAll(() => hub?.kill());
  afterEach(() => {
    clients.splice(0).forEach((client) => client.close());
    globalThis.fetch = real;
  });

  function connect(options: ClientOptions = {}): SynoviaClient {
    const client = new SynoviaClient(hub.url, { WebSocket, token: "dev:ada@example.org", ...options });
    clients.push(client);
    return client;
  }

  function picture(size: number): { bytes: Uint8Array<ArrayBuffer>; blob: File } {
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) % 251);
    return { bytes, blob: new File([bytes], "Knie “links”.png", { type: "image/png" }) };
  }

  async function stored(client: SynoviaClient, upload: UploadId): Promise<Uint8Array> {
    const id = await client.mutation("items:add_picture", { picture: upload });
    const answer = await real(client.fileUrl((await client.query("items:picture", { id })) as string));
    return new Uint8Array(await answer.arrayBuffer());
  }

  it("uploads a blob and reads it again", async () => {
    const client = connect();
    const { bytes, blob } = picture(600_000);
    const onProgress = vi.fn();
    const upload = await client.uploadFile("items:add_picture", blob, { onProgress });
    expect(onProgress.mock.calls[0]).toEqual([0, 600_000]);
    expect(onProgress.mock.calls.at(-1)).toEqual([600_000, 600_000]);
    expect(Buffer.compare(await stored(client, upload), bytes)).toBe(0);
  });

  it.each([
    ["a page in place of the beginning", "POST", () => new Response("<p>hello</p>")],
    ["null in place of an error", "POST", () => new Response("null", { status: 400 })],
    ["an answer that says no offset", "PATCH", () => new Response(null, { status: 204 })],
    ["an offset beyond the end", "PATCH", () => new Response(null, { status: 204, headers: { "upload-offset": "601000" } })],
    ["an offset that is none", "PATCH", () => new Response(null, { status: 204, headers: { "upload-offset": "-1" } })],
  ])("ends when something else answers: %s", async (_, method, answer) => {
    const client = connect();
    globalThis.fetch = async (input, init) => (init!.method === method ? answer() : real(input, init));
    await expect(client.uploadFile("items:add_picture", picture(600_000).blob)).rejects.toMatchObject({ code: "http_error" });
  });

  it.each([-1, 601_000, 0.5, true, null])("ends when a hub refuses a piece and says %s of what is there", async (offset) => {
    const client = connect();
    const body = JSON.stringify({ error: { code: "upload_offset_mismatch", message: "", data: { offset } } });
    globalThis.fetch = async (input, init) => (init!.method === "PATCH" ? new Response(body, { status: 409 }) : real(input, init));
    await expect(client.uploadFile("items:add_picture", picture(600_000).blob)).rejects.toMatchObject({ code: "upload_offset_mismatch" });
  });

  it("goes on from what is there when an answer is lost", async () => {
    const client = connect();
    const { bytes, blob } = picture(2_900_000);
    const methods: string[] = [];
    globalThis.fetch = async (input, init) => {
      methods.push(init!.method!);
      const answer = await real(input, init);
      if (methods.filter((method) => method === "PATCH").length === 1 && init!.method === "PATCH") throw new TypeError("cut off");
      return answer;
    };
    const upload = await client.uploadFile("items:add_picture", blob);
    expect(methods).toContain("HEAD");
    expect(Buffer.compare(await stored(client, upload), bytes)).toBe(0);
  });

  it("says why a file is not taken", async () => {
    const client = connect();
    await expect(client.uploadFile("items:add_picture", new Blob(["<p>"], { type: "text/html" }))).rejects.toMatchObject({ code: "file_type_refused" });
    const { blob } = picture(3_000_001);
    await expect(client.uploadFile("items:add_picture", blob)).rejects.toMatchObject({ code: "file_too_large", data: { limit: 3_000_000 } });
    const nobody = connect({ token: null });
    await expect(nobody.uploadFile("items:add_picture", picture(1).blob)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("gives an upload up when it is aborted", async () => {
    const client = connect();
    const abort = new AbortController();
    const paths: string[] = [];
    globalThis.fetch = async (input, init) => {
      paths.push(`${init!.method} ${new URL(String(input)).pathname}`);
      return real(input, init);
    };
    const upload = client.uploadFile("items:add_picture", picture(2_000_000).blob, { signal: abort.signal, onProgress: () => abort.abort(new Error("enough")) });
    await expect(upload).rejects.toThrow("enough");
    await vi.waitFor(() => expect(paths.at(-1)).toMatch(/^DELETE /));
  });
});
