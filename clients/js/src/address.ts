/** The address of a hub. */

const SYNC_PATH = "/sync";
const SCHEMES: Record<string, string> = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };

/**
 * Give the WebSocket address of the hub at an address: `/sync` below its path, `ws` for `http`. `ws://host` is
 * `ws://host/sync`, `https://host/api` is `wss://host/api/sync`, and `/` in a browser is the page's own server; a path that
 * ends with `/sync` is the socket's own. TypeError for another scheme, a fragment, or a user name and password, which do not
 * belong in an address (they end up in logs): sign in with a token.
 */
export function socketUrl(address: string): string {
  const url = parse(address);
  const scheme = url && SCHEMES[url.protocol];
  if (!scheme) throw new TypeError(`not an address of a hub: ${address} (write ws://HOST:PORT or wss://HOST)`);
  if (url.username || url.password) throw new TypeError("an address must not carry a user name or a password; pass a token");
  if (url.hash) throw new TypeError(`an address must not carry a fragment: ${address}`);
  return `${scheme}//${url.host}${basePath(url)}${SYNC_PATH}${url.search}`;
}

/** Give the address of something else at the hub of a socket: `path` as in `/auth/sign-out`. */
export function besideSocket(socketUrl: string, path: string): string {
  const url = new URL(socketUrl.replace(/^ws/, "http"));
  return `${url.origin}${basePath(url)}${path}`;
}

function basePath({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "").replace(/\/sync$/, "");
}

function parse(address: string): URL | null {
  try {
    return new URL(address, globalThis.location?.href);
  } catch {
    return null;
  }
}
