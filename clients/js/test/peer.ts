/** A server that does what the test says: sockets that lead nowhere but here. */
import { afterEach } from "vitest";
import { SynoviaClient, type ClientOptions, type TokenSet } from "../src/index.js";
import type { Socket } from "../src/dialer.js";
import { decodeFrame, encodeFrame, isArrayFrame } from "../src/protocol/arrays.js";
import { decodeClient, encode } from "../src/protocol/codec.js";
import type { ArrayFrame, ClientMessage, QueryUpdate, ServerMessage } from "../src/protocol/messages.js";
import { ManualClock } from "./manual-clock.js";
import { settled } from "./until.js";

type Received = ClientMessage | ArrayFrame;

/** One socket, from the server's side. */
export class PeerSocket implements Socket {
  binaryType = "";
  bufferedAmount = 0;
  protocol = "synovia.v1";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onerror: Socket["onerror"] = null;
  onclose: Socket["onclose"] = null;
  /** What the client has sent. */
  readonly received: Received[] = [];
  /** The close code that the client gave. */
  closedWith: number | undefined;
  #transitions = 0;
  ts = 0n;

  send(data: Uint8Array): void {
    const frame = new Uint8Array(data);
    this.received.push(isArrayFrame(frame) ? decodeFrame(frame) : decodeClient(frame));
  }

  close(code?: number): void {
    this.closedWith = code ?? 1000;
  }

  /** Take the connection. */
  open(): void {
    this.onopen?.({} as never);
  }

  /** Break the connection. */
  cut(): void {
    this.onclose?.({ code: 1006, reason: "" } as never);
  }

  /** Give the messages of one type that the client has sent. */
  all<T extends Received["type"]>(type: T): Extract<Received, { type: T }>[] {
    return this.received.filter((message): message is Extract<Received, { type: T }> => message.type === type);
  }

  /** Give the newest message of one type. */
  last<T extends Received["type"]>(type: T): Extract<Received, { type: T }> {
    return this.all(type).at(-1)!;
  }

  raw(frame: Uint8Array | string): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : frame.slice().buffer } as never);
  }

  tell(message: ServerMessage): void {
    this.raw(encode(message));
  }

  welcome(serverTime: number | null = null): void {
    this.tell({ type: "Welcome", version: 1, maxMessageBytes: 1 << 20, idleTimeout: 30, serverTime });
  }

  /** Move the client to another instant. */
  transition(toTs: number | bigint, ...updates: QueryUpdate[]): void {
    this.#transitions += 1;
    this.tell({ type: "Transition", fromTs: this.ts, toTs: BigInt(toTs), updates, number: this.#transitions });
    this.ts = BigInt(toTs);
  }

  /** Answer a mutation. */
  done(requestId: number, ts: number, result: unknown = null): void {
    this.tell({ type: "MutationResponse", requestId, ts: BigInt(ts), result, error: null });
  }

  failed(requestId: number, code: string): void {
    this.tell({ type: "MutationResponse", requestId, ts: null, result: null, error: { code, message: code, data: null } });
  }

  /** Accept the token that was sent, and answer the ping behind it. */
  authenticated(tokens: Partial<TokenSet> = {}): void {
    this.tell({ type: "Authenticated", token: null, refreshToken: null, expiresAt: null, ...tokens });
    this.pong();
  }

  /** Refuse the token that was sent, and answer the ping behind it. */
  refuse(code = "invalid_token", data: unknown = null): void {
    this.tell({ type: "AuthError", error: { code, message: "no", data } });
    this.pong();
  }

  /** Answer the newest ping. */
  pong(): void {
    this.tell({ type: "Pong", nonce: this.last("Ping").nonce });
  }

  samples(frame: Omit<ArrayFrame, "type">): void {
    this.raw(encodeFrame({ type: "ArrayFrame", ...frame }));
  }
}

export function value(queryId: number, value: unknown, journal: Uint8Array | null = null): QueryUpdate {
  return { type: "QueryValue", queryId, value, journal };
}

export function patch(queryId: number, ...patches: unknown[]): QueryUpdate {
  return { type: "QueryPatch", queryId, patches };
}

/** A client whose sockets and time belong to the test. */
export class Peer {
  readonly clock = new ManualClock();
  readonly sockets: PeerSocket[] = [];
  readonly client: SynoviaClient;

  constructor(options: ClientOptions = {}, url = "ws://hub") {
    const { sockets } = this;
    const WebSocket = class extends PeerSocket {
      constructor(readonly url: string) {
        super();
        sockets.push(this);
      }
    };
    this.client = new SynoviaClient(url, { WebSocket, clock: this.clock, random: () => 0.5, ...options });
    open.push(this.client);
  }

  /** The newest socket. */
  get socket(): PeerSocket {
    return this.sockets.at(-1)!;
  }

  /** Take the newest connection and welcome the client, which says what it wants. */
  async accept(serverTime: number | null = null): Promise<PeerSocket> {
    this.socket.open();
    this.socket.welcome(serverTime);
    await settled();
    return this.socket;
  }

  /** Break the connection and take the next one, without a welcome. */
  async reconnect(): Promise<PeerSocket> {
    const { length } = this.sockets;
    this.socket.cut();
    while (this.sockets.length === length) this.clock.advance(50);
    this.socket.open();
    await settled();
    return this.socket;
  }
}

/** Let a call fail unseen when the test is over. */
export function unattended(call: Promise<unknown>): void {
  call.catch(() => undefined);
}

const open: SynoviaClient[] = [];
afterEach(() => open.splice(0).forEach((client) => client.close()));
