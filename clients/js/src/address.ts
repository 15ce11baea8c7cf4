/** The address of a hub. */

const SYNC_PATH = "/sync";
const SCHEMES: Record<string, string> = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };

/**
 * Give the WebSocket address for what a user wrote: `ws://host:port` gets the path `/sync`, `http` becomes `ws`, and `/` in
 * a browser is the page's own server. TypeError for another scheme, a fragment, or a user name and password, which do
 * not belong in an address (they end up in logs): sign in with a token.
 */
export function socketUrl(address: string): string {
  const url = parse(address);
  const scheme = url && SCHEMES[url.protocol];
  if (!scheme) throw new TypeError(`not an address of a hub: ${address} (write ws://HOST:PORT or wss://HOST)`);
  if (url.username || url.password) throw new TypeError("an address must not carry a user name or a password; pass a token");
  if (url.hash) throw new TypeError(`an address must not carry a fragment: ${address}`);
  const path = url.pathname === "/" ? SYNC_PATH : url.pathname;
  return `${scheme}//${url.host}${path}${url.search}`;
}

function parse(address: string): URL | null {
  try {
    return new URL(address, globalThis.location?.href);
  } catch {
    return null;
  }
}
