/** WebSockets to a real hub that break where the test says. */
import { WebSocket } from "ws";
import type { Socket, SocketConstructor } from "../src/dialer.js";

/** A place in a connection: before or after the n-th frame (from 0) of a direction. */
export interface Cut {
  readonly direction: "sent" | "received";
  readonly index: number;
  readonly side: "before" | "after";
}

/** The connections of one test. */
export class Wire {
  /** Frames that passed over the first connection. */
  readonly counts = { sent: 0, received: 0 };
  connections = 0;
  readonly open = new Set<WebSocket>();
  /** The WebSocket class for the client. */
  readonly WebSocket: SocketConstructor;

  /**
   * @param cut Where the first connection breaks; undefined: nowhere.
   * @param copies How often a frame that was received arrives: 0 loses it, 2 doubles it.
   */
  constructor(
    readonly cut?: Cut,
    readonly copies: () => number = () => 1,
  ) {
    const wire = this;
    this.WebSocket = class extends CuttableSocket {
      constructor(url: string, protocols: string[]) {
        super(wire, new WebSocket(url, protocols));
      }
    };
  }

  /** Break all connections, as a network does: without a goodbye. */
  cutAll(): void {
    for (const socket of this.open) socket.terminate();
  }
}

class CuttableSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onerror: Socket["onerror"] = null;
  onclose: Socket["onclose"] = null;
  readonly #wire: Wire;
  readonly #socket: WebSocket;
  readonly #first: boolean;

  constructor(wire: Wire, socket: WebSocket) {
    this.#wire = wire;
    this.#socket = socket;
    this.#first = wire.connections++ === 0;
    wire.open.add(socket);
    socket.onopen = (event) => this.onopen?.(event as never);
    socket.onerror = (event) => this.onerror?.(event as never);
    socket.onmessage = (event) => {
      for (let copy = wire.copies(); copy > 0; copy--) this.#pass("received", () => this.onmessage?.(event as never));
    };
    socket.onclose = (event) => {
      wire.open.delete(socket);
      this.onclose?.(event as never);
    };
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type as "arraybuffer";
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(data: Uint8Array): void {
    this.#pass("sent", () => this.#socket.send(data));
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  #pass(direction: Cut["direction"], pass: () => void): void {
    const { cut, counts } = this.#wire;
    const here = this.#first && cut?.direction === direction && cut.index === counts[direction] ? cut : null;
    if (this.#first) counts[direction] += 1;
    if (here?.side !== "before" && this.#socket.readyState === WebSocket.OPEN) pass();
    if (here) this.#socket.terminate();
  }
}
