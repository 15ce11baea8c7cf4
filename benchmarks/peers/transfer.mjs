// The peer of `python -m benchmarks transfer`: money is moved between accounts in serializable, durable transactions.
//
//   node transfer.mjs sqlite FILE ACCOUNTS
//   node transfer.mjs postgres SOCKET_DIRECTORY ACCOUNTS
//
// It prints its port, then answers each line "SOURCE TARGET AMOUNT" of any number of TCP connections with "1" or, if the
// transaction could not be made, "0". It keeps no record of requests, and tells nobody of what has changed.
import { createServer } from "node:net";

const TRIES = 10;
const [kind, place, count] = process.argv.slice(2);
const accounts = Number(count);
const transfer = kind === "sqlite" ? await sqlite(place) : await postgres(place);

async function sqlite(file) {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL); BEGIN");
  const insert = database.prepare("INSERT INTO accounts VALUES (?, 1000000)");
  for (let id = 0; id < accounts; id++) insert.run(id);
  database.exec("COMMIT");
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const read = database.prepare("SELECT balance FROM accounts WHERE id = ?");
  const write = database.prepare("UPDATE accounts SET balance = ? WHERE id = ?");
  return (source, target, amount) => {
    begin.run();
    const giver = read.get(source).balance;
    const taker = read.get(target).balance;
    write.run(giver - amount, source);
    write.run(taker + amount, target);
    commit.run();
    return true;
  };
}

async function postgres(host) {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ host, database: "postgres", user: "bench", max: 50 });
  await pool.query("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL)");
  await pool.query("INSERT INTO accounts SELECT id, 1000000 FROM generate_series(0, $1::int - 1) AS id", [accounts]);
  const once = async (client, source, target, amount) => {
    await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    const read = { name: "read", text: "SELECT balance FROM accounts WHERE id = $1" };
    const write = { name: "write", text: "UPDATE accounts SET balance = $1 WHERE id = $2" };
    const giver = (await client.query({ ...read, values: [source] })).rows[0].balance;
    const taker = (await client.query({ ...read, values: [target] })).rows[0].balance;
    await client.query({ ...write, values: [Number(giver) - amount, source] });
    await client.query({ ...write, values: [Number(taker) + amount, target] });
    await client.query("COMMIT");
  };
  return async (source, target, amount) => {
    const client = await pool.connect();
    try {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        try {
          await once(client, source, target, amount);
          return true;
        } catch (error) {
          await client.query("ROLLBACK");
          if (!["40001", "40P01"].includes(error.code)) throw error;
        }
      }
      return false;
    } finally {
      client.release();
    }
  };
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", async (data) => {
    const lines = (rest + data).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const [source, target, amount] = line.split(" ").map(Number);
      socket.write((await transfer(source, target, amount)) ? "1\n" : "0\n");
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
