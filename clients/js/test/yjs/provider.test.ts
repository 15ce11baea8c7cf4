/** Shared documents on a real hub: editors that go and come back converge, what is refused is told, and who loses the right is out. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { SynoviaClient } from "../../src/index.js";
import { SharedDocProvider, type SharedDocOptions } from "../../src/yjs/index.js";
import { Wire } from "../cuttable.js";
import { noHub, startHub, type Hub } from "../hub.js";
import { PYTHON, TESTS } from "../paths.js";
import { until } from "../until.js";

/** A number from a seed, the next each time (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

describe.skipIf(noHub)(`shared documents${noHub ? ` (skipped: ${noHub})` : ""}`, () => {
  let hub: Hub;
  const open: { close(): void }[] = [];

  beforeAll(async () => {
    hub = await startHub({ app: resolve(TESTS, "apps", "together.py") });
  }, 60_000);
  afterAll(() => hub?.kill());
  afterEach(() => open.splice(0).reverse().forEach((each) => each.close()));

  function connect(name: string, wire = new Wire()): SynoviaClient {
    const backoff = { initial: 5, maximum: 20 };
    const client = new SynoviaClient(hub.url, { WebSocket: wire.WebSocket ?? WebSocket, token: `dev:${name}@example.org`, backoff });
    open.push(client);
    return client;
  }

  function edit(client: SynoviaClient, id: string, options: Partial<SharedDocOptions> = {}, doc = new Y.Doc()): SharedDocProvider {
    const provider = new SharedDocProvider(client, doc, {
      query: "together:text", mutation: "together:write_text", presence: "together:room", args: { id }, ...options,
    });
    open.push({ close: () => provider.destroy() });
    return provider;
  }

  const plan = (client: SynoviaClient, writers: string[] = []): Promise<string> => client.mutation<string>("together:add", { title: "a", writers } as never);
  const textOf = (provider: SharedDocProvider): Y.Text => provider.doc.getText("text");

  it("converges letter by letter, whoever goes and comes back, and has all that anybody typed", async () => {
    const random = randomOf(7);
    const names = ["ann", "bob", "cid"];
    const wires = names.map(() => new Wire());
    const clients = names.map((name, index) => connect(name, wires[index]));
    const id = await plan(clients[0]!, names);
    const editors = clients.map((client) => edit(client, id));
    const typed = names.map(() => new Set<string>());
    const away = names.map(() => false);
    let letters = 0;
    for (let step = 0; step < 400; step++) {
      const who = random(3);
      const text = textOf(editors[who]!);
      const chance = random(100);
      if (chance < 4) wires[who]!.cutAll();
      else if (chance < 8) {
        away[who] = !away[who];
        if (away[who]) editors[who]!.disconnect();
        else editors[who]!.connect();
      } else if (chance < 25 && text.length > 0) {
        const at = random(text.length);
        const gone = text.toString()[at]!;
        text.delete(at, 1);
        typed.forEach((each) => each.delete(gone));
      } else {
        const letter = String.fromCodePoint(0x4e00 + letters++); // each of its own, so that nothing can hide
        text.insert(random(text.length + 1), letter);
        typed[who]!.add(letter);
      }
      if (step % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    editors.forEach((editor) => editor.connect());
    await until(() => editors.every((each) => each.synced && each.saved), 30);
    const [first] = editors;
    await until(() => editors.every((each) => textOf(each).toString() === textOf(first!).toString()), 30);
    const all = new Set(typed.flatMap((each) => [...each]));
    expect([...textOf(first!).toString()].sort()).toEqual([...all].sort());
    const fresh = edit(clients[0]!, id);
    await fresh.whenSynced();
    expect(textOf(fresh).toString()).toBe(textOf(first!).toString());
  });

  it("sends what was changed before it was open, and no more than that", async () => {
    const [ann, bob] = [connect("ann"), connect("bob")];
    const id = await plan(ann, ["bob"]);
    const first = edit(ann, id);
    textOf(first).insert(0, "from the server ");
    await until(() => first.synced && first.saved);
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "typed before ");
    const second = edit(bob, id, {}, doc);
    await until(() => textOf(first).length === 29);
    expect(textOf(second).toString()).toBe(textOf(first).toString());
    const third = edit(bob, id, {}, doc);
    await third.whenSynced();
    expect(third.saved).toBe(true);
  });

  it("applies what others change with itself as the origin, so that undo takes back only what is one's own", async () => {
    const [ann, bob] = [connect("ann"), connect("bob")];
    const id = await plan(ann, ["bob"]);
    const [hers, his] = [edit(ann, id), edit(bob, id)];
    const undo = new Y.UndoManager(textOf(hers));
    const origins = new Set<unknown>();
    hers.doc.on("update", (_update: Uint8Array, origin: unknown) => origins.add(origin));
    textOf(hers).insert(0, "ann");
    await until(() => textOf(his).toString() === "ann");
    textOf(his).insert(3, " bob");
    await until(() => textOf(hers).toString() === "ann bob");
    expect(origins.has(hers)).toBe(true);
    undo.undo();
    await until(() => textOf(his).toString() === " bob");
  });

  it("shows who is where, by what the server says of them, until they go", async () => {
    const [ann, bob] = [connect("ann"), connect("bob")];
    const id = await plan(ann, ["bob"]);
    const user = (who: { name: string }): Record<string, unknown> => ({ name: who.name, color: "#123456" });
    const hers = edit(ann, id, { user });
    const his = edit(bob, id, { user });
    his.awareness.setLocalState({ user: { name: "Ann, your teacher" }, cursor: { anchor: 3 } });
    const changes: unknown[] = [];
    hers.awareness.on("change", (change: unknown) => changes.push(change));
    const seen = await until(() => hers.awareness.getStates().get(his.doc.clientID));
    expect(seen).toEqual({ user: { name: "Bob", color: "#123456" }, cursor: { anchor: 3 } });
    await until(() => (his.awareness.getLocalState()?.["user"] as { name: string } | undefined)?.name === "Bob");
    his.awareness.setLocalStateField("cursor", { anchor: 4 });
    await until(() => (hers.awareness.getStates().get(his.doc.clientID) as { cursor?: { anchor: number } }).cursor?.anchor === 4);
    his.destroy();
    await until(() => !hers.awareness.getStates().has(his.doc.clientID));
    expect(changes.at(-1)).toEqual({ added: [], updated: [], removed: [his.doc.clientID] });
  });

  it("stops at once for who loses the right, keeps what they type, and goes on when they have it again", async () => {
    const [ann, bob] = [connect("ann"), connect("bob")];
    const id = await plan(ann, ["bob"]);
    const [hers, his] = [edit(ann, id), edit(bob, id)];
    textOf(his).insert(0, "before");
    await until(() => textOf(hers).toString() === "before");
    await ann.mutation<string>("together:share", { id, readers: [], writers: ["ann"] } as never);
    await until(() => (his.error as { code?: string } | null)?.code === "not_found");
    expect(his.synced).toBe(false);
    textOf(his).insert(6, " lost");
    textOf(hers).insert(0, "> ");
    await until(() => hers.saved);
    expect(textOf(his).toString()).toBe("before lost");
    expect(textOf(hers).toString()).toBe("> before");
    await ann.mutation<string>("together:share", { id, readers: [], writers: ["ann", "bob"] } as never);
    await until(() => textOf(his).toString().startsWith("> "));
    await until(() => textOf(hers).toString() === "> before lost", 15);
    expect(his.error).toBe(null);
  });

  it("is the same document for a program in Python, with letters of any kind", async () => {
    const ann = connect("ann");
    const id = await plan(ann, ["bob"]);
    const provider = edit(ann, id);
    await provider.whenSynced();
    const program = promisify(execFile)(PYTHON, [resolve("test/yjs/editor.py"), hub.url, id]);
    let number = 0;
    await until(() => {
      if (number < 40) textOf(provider).insert(0, `j${number++} \u{1f602}\u00e9 `);
      return number === 40 && textOf(provider).toString().includes("p39 ");
    }, 60);
    textOf(provider).insert(3, "over");
    const { stdout } = await program;
    await until(() => provider.saved);
    const text = textOf(provider).toString();
    expect(JSON.parse(stdout)).toBe(text);
    for (let each = 0; each < 40; each++) {
      expect(text.replace("over", "")).toContain(`j${each} \u{1f602}\u00e9 `);
      expect(text).toContain(`p${each} \u{1f600} `);
    }
  }, 90_000);

  it("says that there is too much, and goes on when there is less", async () => {
    const ann = connect("ann");
    const id = await plan(ann);
    const provider = edit(ann, id);
    await provider.whenSynced();
    textOf(provider).insert(0, "x".repeat(300_000));
    await until(() => (provider.error as { code?: string } | null)?.code === "shared_doc_too_large");
    expect(provider.saved).toBe(false);
    textOf(provider).delete(10, 299_990);
    await until(() => provider.saved && provider.error === null);
    const fresh = edit(ann, id);
    await fresh.whenSynced();
    await until(() => textOf(fresh).toString() === textOf(provider).toString());
    expect(textOf(fresh).toString()).toBe("x".repeat(10));
  });
});
