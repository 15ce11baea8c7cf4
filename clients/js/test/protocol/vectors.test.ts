/** Every shared test vector that concerns a client. */
import { describe, expect, it } from "vitest";
import { arrayDigest, chunksOf, CHUNK_BYTES, decodeFrame, DTYPES, encodeFrame, itemBytes } from "../../src/protocol/arrays.js";
import { ClientSession } from "../../src/protocol/client-session.js";
import { decodeClient, decodeServer, encode } from "../../src/protocol/codec.js";
import { digest } from "../../src/protocol/digest.js";
import type { ListEdit, MapEdit } from "../../src/protocol/edits.js";
import { closeCodeOf, PatchError, ProtocolError, type ErrorCode } from "../../src/protocol/errors.js";
import type { Message, ServerMessage } from "../../src/protocol/messages.js";
import { pack, packCanonical } from "../../src/protocol/pack.js";
import { apply } from "../../src/protocol/patch.js";
import { sha256 } from "../../src/protocol/sha256.js";
import { FROM_SERVER, unpack, unpackMessage } from "../../src/protocol/unpack.js";
import { hex, type Dtype, type ValueMap } from "../../src/protocol/values.js";
import { bitsAreLost, fromHex, joined, untagged, vectors, type Case } from "./vectors.js";

const values = vectors("values");
const messages = vectors("messages");
const patches = vectors("patches");
const arrays = vectors("arrays");
const named = (cases: Case[] | undefined) => cases!.map((one) => [one.name, one] as const);

describe("values", () => {
  it.each(named(values.values))("packs %s", (_, { value, packed }) => {
    const expected = bitsAreLost(value) ? hex(pack(unpack(fromHex(packed)))) : packed;
    expect(hex(pack(untagged(value)))).toBe(expected);
  });

  it.each(named([...values.values!, ...values.accepted!]))("unpacks %s", (_, { value, packed }) => {
    expect(unpack(fromHex(packed))).toStrictEqual(untagged(value));
  });

  it("sends an integral float as the integer, and every NaN as one", () => {
    expect(hex(pack(1.0))).toBe("01");
    expect(hex(pack(unpack(fromHex("cbfff80000deadbeef"))))).toBe("cb7ff8000000000000");
  });
});

describe("messages", () => {
  it.each(named(messages.messages))("encodes %s", (_, { message, frame }) => {
    if (!bitsAreLost(message) || message.is === "Welcome") {
      expect(hex(encode(untagged(message) as Message))).toBe(message.is === "Welcome" ? frame.replace("cb403e000000000000", "1e") : frame);
    } else {
      expect(hex(encode(untagged(message) as Message))).not.toBe(frame);
    }
  });

  it.each(named([...messages.messages!, ...messages.accepted!]))("decodes %s", (_, { message, frame, direction }) => {
    const decode = direction === "client" ? decodeClient : decodeServer;
    expect(decode(fromHex(frame))).toStrictEqual(untagged(message));
  });

  it("keeps arguments that look like a message as they are", () => {
    const args = { type: "Ping", nonce: 7 };
    const frame = encode({ type: "Action", requestId: 1, path: "a:b", args, traceparent: null });
    expect(decodeClient(frame)).toStrictEqual({ type: "Action", requestId: 1, path: "a:b", args, traceparent: null });
  });
});

/** Unpack a patch as it stands in a transition. */
function unpackPatch(packed: string): unknown {
  const [fields] = unpackMessage(fromHex(`91${packed}`), FROM_SERVER);
  return (fields as unknown[])[0];
}

describe("patches", () => {
  it.each(named(patches.patches))("applies %s", (_, { a, patch, packed, b }) => {
    const old = untagged(a);
    const read = unpackPatch(packed);
    expect(read).toStrictEqual(untagged(patch));
    expect(apply(old, read)).toStrictEqual(untagged(b));
    expect(old).toStrictEqual(untagged(a));
  });

  it.each(named(patches.refused))("refuses one that %s", (_, { a, packed }) => {
    expect(() => apply(untagged(a), unpackPatch(packed) as MapEdit | ListEdit)).toThrow(PatchError);
  });
});

describe("arrays", () => {
  it("knows every dtype", () => {
    expect(DTYPES.map((name, index) => ({ name, code: index + 1, bytes: itemBytes(name) }))).toStrictEqual(arrays.dtypes);
  });

  it.each(named(arrays.digests))("finds the digest of %s", (_, { source, offset, length, chunks, digests }) => {
    const raw = joined(source).subarray(offset, offset + length);
    const found = Array.from(chunksOf(raw), sha256);
    expect(found.map(hex)).toStrictEqual(chunks);
    for (const [dtype, digest] of Object.entries(digests)) expect(hex(arrayDigest(dtype as Dtype, found))).toBe(digest);
    expect(found.length).toBe(Math.ceil(raw.length / CHUNK_BYTES));
  });

  it.each(named(arrays.frames))("reads and writes the frame %s", (_, { name: __, frame, ...fields }) => {
    const { digest, data, position, length, stream, dtype } = fields as unknown as Record<string, string>;
    const expected = {
      type: "ArrayFrame" as const, stream: Number(stream), dtype: dtype as Dtype,
      digest: fromHex(digest!), data: fromHex(data!), position: Number(position), length: Number(length),
    };
    expect(hex(encodeFrame(expected))).toBe(frame);
    expect(decodeFrame(fromHex(frame))).toStrictEqual(expected);
  });
});

describe("digests", () => {
  it.each(named(vectors("digests").digests))("of %s", (_, one) => {
    for (const value of one.values) {
      expect(hex(packCanonical(untagged(value)))).toBe(one.canonical);
      expect(hex(digest(untagged(value)))).toBe(one.digest);
    }
  });
});

// --- bad frames

const DIGEST = Uint8Array.from({ length: 32 }, (_, index) => index);

/** Make the client that the README of the vectors describes. */
function clientIn(state: string): ClientSession {
  const session = new ClientSession(new Uint8Array(16));
  session.connect();
  if (state === "welcome") return session;
  receive(session, { type: "Welcome", version: 1, maxMessageBytes: 1 << 20, idleTimeout: 30, serverTime: null });
  session.modify([1, 2].map((queryId) => ({ queryId, path: "a:b", args: {} })), []);
  session.mutation(1, "a:b", {});
  session.action(2, "a:b", {});
  session.fetchArray({ requestId: 9, queryId: 1, digest: DIGEST, start: 0, stop: null, points: null });
  const updates = [{ a: 1 }, [1, 2]].map((value, index) => ({ type: "QueryValue" as const, queryId: index + 1, value, journal: null }));
  receive(session, { type: "Transition", fromTs: 0n, toTs: 5n, updates, number: 1 });
  return session;
}

function receive(session: ClientSession, message: ServerMessage): void {
  session.receive(encode(message));
}

describe("bad frames", () => {
  const cases = vectors("bad_frames").frames!.filter((one) => one.to === "client");

  it.each(named(cases))("%s", (_, { state, before, frame, text, code, close }) => {
    const session = clientIn(state);
    for (const parts of before) session.receive(joined(parts));
    const held = new Map(session.held);
    const ts = session.ts;
    expect(failure(() => session.receive(text ?? joined(frame)))).toMatchObject({ code, closeCode: close });
    expect(closeCodeOf(code as ErrorCode)).toBe(close);
    expect([session.state, session.held, session.ts]).toStrictEqual(["CLOSED", held, ts]);
  });

  // what a server refuses to read a client refuses too
  const malformed = vectors("bad_frames").frames!.filter(
    (one) => one.to === "server" && one.frame && /bad_frame|too_large/.test(one.code) && !one.name.startsWith("array"),
  );
  it.each(named(malformed))("read as a client's: %s", (_, { name, frame, code }) => {
    const either = name === "headers that promise too much"; // both are true, and which one shows first is no matter
    expect(failure(() => decodeClient(joined(frame))).code).toBe(either ? "too_large" : code);
  });
});

function failure(run: () => unknown): ProtocolError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

export type { ValueMap };
