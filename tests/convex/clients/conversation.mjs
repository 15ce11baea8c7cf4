// node conversation.mjs PACKAGE URL: what clients made for Convex do, against a hub that serves tests/apps/convex_kit.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import net from "node:net";

const [name, url] = process.argv.slice(2);
const { ConvexClient, ConvexHttpClient } = await import(`${name}/browser`);
const { ConvexError } = await import(`${name}/values`);
const { anyApi: api } = await import(`${name}/server`);
const options = { logger: false, unsavedChangesWarning: false };

async function until(what, check, ms = 15_000) {
  const end = Date.now() + ms;
  while (!check()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 5));
  }
}
const fresh = () => crypto.randomUUID();
const message = (channel, body) => ({ channel, author: "ann", body });

// A relay whose connections can be cut, and whose server's words can be lost.
async function relay() {
  const target = new URL(url), pairs = new Set();
  let mute = false;
  const server = net.createServer((here) => {
    const there = net.connect(Number(target.port), target.hostname), pair = [here, there];
    pairs.add(pair);
    for (const each of pair) each.on("error", () => {}).on("close", () => { here.destroy(); there.destroy(); pairs.delete(pair); });
    here.on("data", (data) => there.write(data));
    there.on("data", (data) => { if (!mute) here.write(data); });
  });
  await new Promise((r) => server.listen(0, "127.0.0.1", r));
  const cut = () => { for (const pair of pairs) pair[0].destroy(); };
  return { url: `http://127.0.0.1:${server.address().port}`, cut, mute: (on) => { mute = on; }, close: () => { server.close(); cut(); } };
}

const tests = {
  async "a mutation whose answer was lost is never shown beside the client's own guess"() {
    const between = await relay(), channel = fresh(), counts = [];
    const other = new ConvexClient(url, options), client = new ConvexClient(between.url, options);
    let committed = 0;
    other.onUpdate(api.messages.list, { channel }, (rows) => { committed = rows.length; });
    client.onUpdate(api.messages.list, { channel }, (rows) => counts.push(rows.length));
    await until("both follow it", () => counts.length);
    between.mute(true);
    const optimisticUpdate = (store, args) => {
      const rows = store.getQuery(api.messages.list, { channel });
      store.setQuery(api.messages.list, { channel }, [...rows, { _id: "guess", _creationTime: 0, ...args }]);
    };
    const answer = client.mutation(api.messages.send, message(channel, "x"), { optimisticUpdate });
    await until("committed", () => committed);
    between.mute(false);
    between.cut();
    const id = await answer;
    assert.deepEqual((await client.query(api.messages.list, { channel })).map((row) => row._id), [id]);
    assert.ok(counts.every((count, at) => count <= 1 && count >= (counts[at - 1] ?? 0)), `${counts}`);
    await client.close(); await other.close(); between.close();
  },
  async "a subscription follows, and a mutation resolves when its effect is there"() {
    const client = new ConvexClient(url, options), channel = fresh(), seen = [];
    client.onUpdate(api.messages.count, { channel }, (n) => seen.push(n));
    await until("the first result", () => seen.length === 1);
    for (let i = 1; i <= 3; i++) {
      await client.mutation(api.messages.send, message(channel, `${i}`));
      assert.equal(seen.at(-1), i);
    }
    assert.deepEqual(seen, [0, 1, 2, 3]);
    assert.equal(await client.mutation(api.values.echoMutation, { value: "nothing changed" }), "nothing changed");
    await client.close();
  },
  async "values come back as they went"() {
    const client = new ConvexClient(url, options), http = new ConvexHttpClient(url, { logger: false });
    const value = { n: [5, 0.5, -0, NaN, Infinity, 5n, -(2n ** 63n)], b: new Uint8Array([0, 255]).buffer, s: "å🦒", m: { x: null, y: true } };
    for (const got of [
      await client.query(api.values.echo, { value }), await client.mutation(api.values.echoMutation, { value }),
      await client.action(api.values.echoAction, { value }), await http.query(api.values.echo, { value }),
    ]) assert.deepStrictEqual(got, value);
    await client.mutation(api.values.store, { value });
    assert.deepStrictEqual((await client.query(api.values.stored, {})).value, value);
    assert.deepStrictEqual(await client.query(api.values.optional, {}), { present: null });
    await client.close();
  },
  async "errors have their data"() {
    const client = new ConvexClient(url, options), data = { code: "NOPE", n: 7n };
    for (const call of [() => client.query(api.errors.failQuery, { data }), () => client.mutation(api.errors.failMutation, { data }), () => client.action(api.errors.failAction, { data })]) {
      const error = await call().then(() => null, (e) => e);
      assert.ok(error instanceof ConvexError);
      assert.deepStrictEqual(error.data, data);
    }
    const crashed = await client.query(api.errors.crashQuery, {}).catch((e) => e);
    assert.ok(!(crashed instanceof ConvexError) && /Server Error/.test(crashed.message));
    await assert.rejects(client.query(api.values.unheld, {}), /größe/);
    assert.equal(await client.query(api.hello.default, {}), "hello, world");
    assert.equal(client.connectionState().connectionCount, 1);
    await client.close();
  },
  async "sign-in, another user, nobody"() {
    const client = new ConvexClient(url, options), seen = [];
    client.onUpdate(api.users.me, {}, (me) => seen.push(me && me.subject));
    await until("nobody", () => seen.at(-1) === null);
    client.setAuth(async () => "dev:ann@example.org");
    await until("ann", () => seen.at(-1) === "ann@example.org");
    client.setAuth(async () => "dev:ben@example.org");
    await until("ben", () => seen.at(-1) === "ben@example.org");
    assert.deepEqual(seen, [null, "ann@example.org", "ben@example.org"]);
    client.client.clearAuth();
    await until("nobody again", () => seen.at(-1) === null);
    await client.close();
  },
  async "tokens that are always refused leave the client as nobody"() {
    const client = new ConvexClient(url, options), states = [];
    client.setAuth(async () => "nonsense", (on) => states.push(on));
    await until("told so", () => states.at(-1) === false, 30_000);
    assert.equal(await client.query(api.users.me, {}), null);
    await client.close();
  },
  async "mutations whose answers are lost are committed once, in order"() {
    const between = await relay(), client = new ConvexClient(between.url, options), channel = fresh(), name = fresh();
    const other = new ConvexClient(url, options);
    let count = 0, list = [];
    other.onUpdate(api.counter.get, { name }, (n) => { count = n; });
    client.onUpdate(api.messages.list, { channel }, (rows) => { list = rows; });
    await client.query(api.counter.get, { name });
    between.mute(true);
    const all = [1, 2, 3].map(() => client.mutation(api.counter.increment, { name }));
    await until("committed unseen", () => count === 3);
    between.mute(false);
    between.cut();
    assert.deepEqual(await Promise.all(all), [1, 2, 3]);
    const sent = [];
    for (let i = 0; i < 12; i++) {
      sent.push(client.mutation(api.messages.send, message(channel, `${i}`)));
      if (i % 4 === 3) between.cut();
    }
    await Promise.all(sent);
    await until("all of them", () => list.length === 12);
    assert.deepEqual(list.map((row) => Number(row.body)), sent.map((_, i) => i));
    await client.close(); await other.close(); between.close();
  },
  async "an optimistic update is replaced without a flicker"() {
    const client = new ConvexClient(url, options), channel = fresh(), lengths = [];
    client.onUpdate(api.messages.list, { channel }, (rows) => lengths.push(rows.length));
    await until("empty", () => lengths.length === 1);
    for (let i = 0; i < 10; i++) {
      await client.mutation(api.messages.send, message(channel, `${i}`), {
        optimisticUpdate: (store, args) => store.setQuery(api.messages.list, { channel }, [...(store.getQuery(api.messages.list, { channel }) ?? []), { _id: "temporary", ...args }]),
      });
    }
    for (let i = 1; i < lengths.length; i++) assert.ok([0, 1].includes(lengths[i] - lengths[i - 1]), `${lengths}`);
    await client.close();
  },
};

let failed = 0;
for (const [title, test] of Object.entries(tests)) {
  try { await test(); console.log(`ok ${title}`); }
  catch (error) { failed++; console.log(`FAILED ${title}: ${error.stack}`); }
}
process.exit(failed ? 1 : 0);
