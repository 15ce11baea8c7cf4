/** The page's files, as the scheme `app:` gives them. Runs under Node, too. */
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/**
 * Make what answers requests for the page's files.
 * @param folder Where they are.
 * @param hub Whom else the page may talk to.
 */
export function pageFiles(folder: string, hub: string): (request: Request) => Promise<Response> {
  const others = [hub, hub.replace(/^ws/, "http")].map((url) => new URL(url).origin).join(" ");
  const policy = `default-src 'self'; connect-src 'self' ${others}; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'`;
  return async ({ url }) => {
    const path = normalize(decodeURIComponent(new URL(url).pathname));
    if (path.includes("..") || path.includes("\0")) return new Response("not found", { status: 404 });
    const name = path.endsWith("/") ? join(path, "index.html") : path;
    try {
      const headers = { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": policy };
      return new Response(new Uint8Array(await readFile(join(folder, name))), { headers });
    } catch {
      return new Response("not found", { status: 404 });
    }
  };
}

/** Whether an address may be opened in the system's browser: a page's link must not start programs. */
export function isWebAddress(url: string): boolean {
  return URL.canParse(url) && ["https:", "http:"].includes(new URL(url).protocol);
}
