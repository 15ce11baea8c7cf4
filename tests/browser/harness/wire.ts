/** The way between a browser and the hub: it can be held up, cut as a network does, and mended. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Wire {
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  #cut = false;
  #held = false;
  /** Bytes that have come from the hub. */
  received = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param target The hub's port, asked for each connection anew. */
  static async to(target: () => number): Promise<Wire> {
    const server = createServer({ noDelay: true });
    const wire = new Wire(server);
    server.on("connection", (near) => wire.#join(near, target()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return wire;
  }

  /** What the browser opens. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Let nothing through in either direction until `release`; nothing is lost. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#open) socket.pause();
  }

  release(): void {
    this.#held = false;
    for (const socket of this.#open) socket.resume();
  }

  /** Break every connection without a goodbye, and take no others. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #join(near: Socket, port: number): void {
    if (this.#cut) return void near.resetAndDestroy();
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#pass(near, far);
    this.#pass(far, near);
    far.on("data", (data) => (this.received += data.length));
  }

  #pass(from: Socket, to: Socket): void {
    this.#open.add(from);
    from.on("data", (data) => to.write(data)); // not pipe(), which would resume what is held
    from.on("end", () => to.end());
    from.on("error", () => to.destroy()); // reset by the other side, or nobody there
    from.on("close", () => {
      this.#open.delete(from);
      to.destroy();
    });
    if (this.#held) from.pause();
  }
}
