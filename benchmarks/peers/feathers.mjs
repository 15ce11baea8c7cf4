// A peer of `python -m benchmarks peers`: Feathers on MongoDB, as its guides build it.
//
//   node feathers.mjs MONGODB_URI DATABASE
//
// A service over a collection, whose events are published to the channel of the document's room; a connection follows the room
// that its address names. Writers of other programs are not seen. It answers lines of JSON: {"step": "port"}, {"step": "cpu"}.
import { createInterface } from "node:readline";
import { feathers } from "@feathersjs/feathers";
import { MongoDBService } from "@feathersjs/mongodb";
import socketio from "@feathersjs/socketio";
import { MongoClient } from "mongodb";

const [uri, database] = process.argv.slice(2);
const client = await MongoClient.connect(uri, { writeConcern: { w: "majority", j: true } });
const app = feathers();
app.configure(
  socketio({ transports: ["websocket"], pingInterval: 3_600_000, perMessageDeflate: false }, (io) => {
    io.use((socket, next) => {
      socket.feathers.room = socket.handshake.query.room;
      next();
    });
  }),
);
app.use("sensors", new MongoDBService({ Model: client.db(database).collection("sensors") }));
app.on("connection", (connection) => app.channel(`room ${connection.room}`).join(connection));
app.service("sensors").publish((sensor) => app.channel(`room ${sensor.room}`));
const server = await app.listen(0, "127.0.0.1");
if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));

const steps = {
  port: () => server.address().port,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
};
createInterface({ input: process.stdin })
  .on("line", (line) => console.log(JSON.stringify({ value: steps[JSON.parse(line).step]() })))
  .on("close", () => process.exit(0));
