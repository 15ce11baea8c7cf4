/** The way between browser and hub: it can be cut, as a network does, and mended. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Wire {
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  #cut = false;

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
    this.#keep(near, far);
    this.#keep(far, near);
    near.pipe(far).pipe(near);
  }

  #keep(socket: Socket, other: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => other.destroy()); // reset by the other side, or nobody there
    socket.on("close", () => {
      this.#open.delete(socket);
      other.destroy();
    });
  }
}
