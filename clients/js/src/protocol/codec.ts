/** Messages and their bytes. One table says, for every message, what each field may be. */
import { checkChange, checkPlain } from "./edits.js";
import { ProtocolError } from "./errors.js";
import type { ClientMessage, Message, ServerMessage } from "./messages.js";
import { pack } from "./pack.js";
import { FROM_CLIENT, FROM_SERVER, unpackMessage, type Limits } from "./unpack.js";
import { isMap, MAX_DEPTH, type ValueMap } from "./values.js";

const ENVELOPE = 4;
const UINT32_MAX = 2 ** 32 - 1;

/** Check one field that arrived and give it as the message holds it; throws a Mismatch. */
interface Rule {
  (field: unknown, suspect: boolean): unknown;
  /** Give the field as it travels; without, it travels as it is. */
  write?: (field: never) => unknown;
}
/** Name, rule, and the default of a field that may be left out. */
type Field = readonly [name: string, rule: Rule, ...fallback: unknown[]];

interface Layout {
  readonly type: string;
  readonly tag: number | null;
  readonly fields: readonly Field[];
}

/** A field is not what its rule says; the message completes the sentence "it is not ...". */
class Mismatch extends Error {}

// --- rules for fields

function check(holds: (field: unknown) => boolean, what: string): Rule {
  return (field) => {
    if (!holds(field)) throw new Mismatch(what);
    return field;
  };
}

function natural(largest = Infinity, least = 0): Rule {
  return (field) => {
    const number = typeof field === "bigint" ? Number(field) : field;
    if (typeof number !== "number" || !Number.isInteger(number) || number < least || number > largest) {
      throw new Mismatch(`an integer from ${least}`);
    }
    return number;
  };
}

function ts(field: unknown): unknown {
  id(field, false);
  return BigInt(field as number | bigint);
}

function bytes(length: number): Rule {
  return check((field) => field instanceof Uint8Array && field.length === length, `${length} bytes`);
}

function orNull(inner: Rule): Rule {
  const { write } = inner;
  const rule: Rule = (field, suspect) => (field === null ? null : inner(field, suspect));
  return write ? Object.assign(rule, { write: (field: never) => (field === null ? null : write(field)) }) : rule;
}

function each(inner: Rule): Rule {
  const { write } = inner;
  const rule: Rule = (field, suspect) => list(field).map((item) => inner(item, suspect));
  return write ? Object.assign(rule, { write: (field: never[]) => field.map(write) }) : rule;
}

function list(field: unknown): unknown[] {
  if (!Array.isArray(field)) throw new Mismatch("a list");
  return field;
}

function value(field: unknown, suspect: boolean): unknown {
  if (suspect) checkPlain(field);
  return field;
}

function args(field: unknown, suspect: boolean): unknown {
  if (!isMap(field)) throw new Mismatch("a map of arguments");
  return value(field, suspect);
}

function patches(field: unknown): unknown {
  if (!list(field).length) throw new Mismatch("a list of at least one patch");
  (field as unknown[]).forEach(checkChange);
  return field;
}

function nested(layout: Layout): Rule {
  const rule: Rule = (field, suspect) => read(layout, list(field), suspect);
  return Object.assign(rule, { write: (field: ValueMap) => write(layout, field) });
}

const id = natural();
const count = natural();
const stream = natural(UINT32_MAX, 1);
const text = check((field) => typeof field === "string", "a string");
const flag = check((field) => typeof field === "boolean", "a boolean");
const blob = orNull(check((field) => field instanceof Uint8Array, "bytes"));
const seconds = check((field) => typeof field === "number" && field >= 0 && field < Infinity, "a number of seconds");

// --- layouts

function layout(type: string, tag: number | null, ...fields: Field[]): Layout {
  return { type, tag, fields };
}

const ERROR = layout("ErrorInfo", null, ["code", text], ["message", text], ["data", value, null]);
const TRACEPARENT: Field = ["traceparent", orNull(text), null];
const QUERY_ADD = layout(
  "QueryAdd", null, ["queryId", id], ["path", text], ["args", args], ["digest", orNull(bytes(16)), null], ["journal", blob, null],
  TRACEPARENT,
);
const ROOM: Field = ["roomId", id];
const REQUEST: Field[] = [["requestId", id], ["path", text], ["args", args]];
const error = nested(ERROR);

const CLIENT: readonly Layout[] = [
  layout("Connect", 1, ["session", bytes(16)], ["version", count], ["newestTs", orNull(ts), null], ["client", text, ""]),
  layout("Authenticate", 2, ["token", orNull(text), null]),
  layout("ModifyQuerySet", 3, ["add", each(nested(QUERY_ADD)), []], ["remove", each(id), []]),
  layout("Mutation", 4, ...REQUEST, ["retry", flag, false], ["issuedAt", orNull(count), null], TRACEPARENT),
  layout("Action", 5, ...REQUEST, TRACEPARENT),
  layout(
    "FetchArray", 6, ["requestId", stream], ["queryId", id], ["digest", bytes(32)],
    ["start", count, 0], ["stop", orNull(count), null], ["points", orNull(natural(Infinity, 2)), null],
  ),
  layout("CancelFetch", 7, ["requestId", stream]),
  layout("Ping", 8, ["nonce", count, 0]),
  layout("PresenceJoin", 9, ROOM, ["path", text], ["args", args], ["state", value, null]),
  layout("PresenceState", 10, ROOM, ["state", value]),
  layout("PresenceLeave", 11, ROOM),
];

const UPDATES: readonly Layout[] = [
  layout("QueryValue", 0, ["queryId", id], ["value", value], ["journal", blob, null]),
  layout("QueryPatch", 1, ["queryId", id], ["patches", patches]),
  layout("QueryUnchanged", 2, ["queryId", id]),
  layout("QueryFailed", 3, ["queryId", id], ["error", error]),
];

function update(field: unknown, suspect: boolean): unknown {
  const [kind, ...fields] = list(field);
  const found = UPDATES.find((layout) => layout.tag === kind);
  if (!found) throw new Mismatch("a known kind of update");
  return read(found, fields, suspect);
}
update.write = (field: Message): unknown[] => write(LAYOUTS.get(field.type)!, field as never);

const RESPONSE: Field[] = [["result", value, null], ["error", orNull(error), null]];

const MEMBER = layout("PresenceMember", null, ["id", text], ["who", value], ["state", value]);
const MOVE = layout("PresenceMove", null, ["id", text], ["state", value]);

const SERVER: readonly Layout[] = [
  layout("Welcome", 32, ["version", count], ["maxMessageBytes", count], ["idleTimeout", seconds], ["serverTime", orNull(count), null]),
  layout("Transition", 33, ["fromTs", ts], ["toTs", ts], ["updates", each(update), []], ["number", count, 0]),
  layout("MutationResponse", 34, ["requestId", id], ["ts", orNull(ts)], ...RESPONSE),
  layout("ActionResponse", 35, ["requestId", id], ...RESPONSE),
  layout("AuthError", 36, ["error", error]),
  layout(
    "ArrayResponse", 37, ["requestId", stream], ["dtype", text, "float64"], ["shape", each(count), []], ["error", orNull(error), null],
  ),
  layout("FatalError", 38, ["error", error], ["retryAfter", orNull(seconds), null]),
  layout("Pong", 39, ["nonce", count, 0]),
  layout(
    "Authenticated", 40, ["token", orNull(text), null], ["refreshToken", orNull(text), null], ["expiresAt", orNull(count), null],
  ),
  layout(
    "PresenceUpdate", 41, ROOM, ["here", each(nested(MEMBER)), []], ["moved", each(nested(MOVE)), []], ["left", each(text), []],
    ["whole", flag, false], ["me", orNull(text), null],
  ),
  layout("PresenceEnded", 42, ROOM, ["error", error]),
];

const LAYOUTS = new Map<string, Layout>([...CLIENT, ...SERVER, ...UPDATES].map((layout) => [layout.type, layout]));

/** Make a message from fields that arrived; more fields than are known are ignored. */
function read(layout: Layout, fields: readonly unknown[], suspect: boolean): ValueMap {
  const message: ValueMap = layout === ERROR ? {} : { type: layout.type };
  layout.fields.forEach(([name, rule, ...fallback], at) => {
    if (at >= fields.length && !fallback.length) throw refused(`${layout.type}.${name} is missing`);
    try {
      message[name] = at < fields.length ? rule(fields[at], suspect) : fallback[0];
    } catch (error) {
      throw error instanceof Mismatch ? refused(`${layout.type}.${name} is not ${error.message}`) : error;
    }
  });
  return message;
}

/** Give the elements that travel; the last ones are left out when they are their defaults. */
function write(layout: Layout, message: ValueMap): unknown[] {
  const fields = layout.fields.slice();
  while (fields.length && isDefault(fields.at(-1)!, message)) fields.pop();
  const parts = fields.map(([name, { write }]) => (write ? write(message[name] as never) : message[name]));
  return layout.tag === null ? parts : [layout.tag, ...parts];
}

function isDefault([name, , ...fallback]: Field, message: ValueMap): boolean {
  const field = message[name];
  return fallback.length > 0 && (field === fallback[0] || (Array.isArray(fallback[0]) && !(field as unknown[]).length));
}

function refused(message: string): ProtocolError {
  return new ProtocolError("bad_message", message);
}

// --- messages

/** Encode a message. WireValueError: a value in it cannot travel. */
export function encode(message: Message): Uint8Array<ArrayBuffer> {
  const layout = LAYOUTS.get(message.type)!;
  return pack(write(layout, message as unknown as ValueMap), MAX_DEPTH + ENVELOPE);
}

/** Decode a frame from a client. ProtocolError: it is not a message that a client may send. */
export function decodeClient(frame: Uint8Array | string, limits: Limits = FROM_CLIENT): ClientMessage {
  return decode(frame, limits, CLIENT) as unknown as ClientMessage;
}

/** Decode a frame from a server. ProtocolError: it is not a message that a server may send. */
export function decodeServer(frame: Uint8Array | string, limits: Limits = FROM_SERVER): ServerMessage {
  return decode(frame, limits, SERVER) as unknown as ServerMessage;
}

function decode(frame: Uint8Array | string, limits: Limits, layouts: readonly Layout[]): ValueMap {
  if (typeof frame === "string") throw new ProtocolError("text_frame", "frames are binary");
  const [parts, suspect] = unpackMessage(frame, limits);
  const [tag, ...fields] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (typeof tag !== "number") throw refused("a message is a list that starts with its type number");
  const layout = layouts.find((layout) => layout.tag === tag);
  if (!layout) throw new ProtocolError("unknown_message", `unknown message type ${tag}`);
  return read(layout, fields, suspect);
}
