/** Opening the WebSocket. */
import type { Clock } from "./clock.js";
import { SUBPROTOCOL } from "./protocol/messages.js";

/** The part of the browser's WebSocket that the client needs; the package `ws` has it too. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** Give up a socket without waiting for its goodbye. */
export function hangUp(socket: Socket, code = 1000, reason = ""): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.onerror = () => undefined; // `ws` throws what nobody listens to
  socket.close(code, reason);
}

/** Knows how to open the WebSocket to one address. */
export class Dialer {
  constructor(
    readonly url: string,
    readonly WebSocket: SocketConstructor,
    readonly clock: Clock,
    readonly timeout: number,
  ) {}

  /**
   * Open the WebSocket.
   * @param opened Called with the open socket, at most once.
   * @param failed Called with the reason when that does not work, or not in time; else never.
   * @returns What gives up.
   */
  dial(opened: (socket: Socket) => void, failed: (reason: string) => void): () => void {
    const socket = new this.WebSocket(this.url, [SUBPROTOCOL]);
    socket.binaryType = "arraybuffer";
    const giveUp = (): void => {
      cancel();
      hangUp(socket);
    };
    const fail = (reason: string): void => {
      giveUp();
      failed(reason);
    };
    const cancel = this.clock.after(this.timeout, () => fail(`${this.url} did not answer within ${this.timeout} ms`));
    socket.onerror = socket.onclose = () => fail(`${this.url} cannot be reached, or does not speak ${SUBPROTOCOL}`);
    socket.onopen = () => {
      cancel();
      if (socket.protocol === SUBPROTOCOL) opened(socket);
      else fail(`${this.url} does not speak ${SUBPROTOCOL}`);
    };
    return giveUp;
  }
}
