/** A port of this machine, by Node's own means: for the main process of Electron, and for programs under Node. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { page, type Arrived, type Listener, type ReturnPage } from "./return.js";

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
  Connection: "close",
};
/** Milliseconds for the last answer to go out. */
const GRACE = 1000;

/**
 * Listen at a free port of 127.0.0.1.
 * @param path Of the address, if an issuer wants one.
 */
export async function listen(arrived: Arrived, path = "/"): Promise<Listener> {
  const server = createServer({ maxHeaderSize: 16 << 10, headersTimeout: 5000, requestTimeout: 5000 }, (request, response) => {
    answerOf(request, arrived).then((answer) => reply(response, answer), () => response.destroy());
  });
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}${path}`, close: () => closed(server) };
}

async function answerOf(request: IncomingMessage, arrived: Arrived): Promise<ReturnPage> {
  if (request.method !== "GET") return page(405, "There is no such page", "Only GET is answered.");
  return arrived(`http://${request.headers.host ?? ""}${request.url ?? ""}`); // a name that leads here is somebody's trick
}

function reply(response: ServerResponse, { status, html }: ReturnPage): void {
  response.writeHead(status, HEADERS).end(html);
}

async function closed(server: ReturnType<typeof createServer>): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), GRACE);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
