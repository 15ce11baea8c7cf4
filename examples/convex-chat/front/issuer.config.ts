/**
 * An OpenID Connect issuer for development, beside the page at /issuer: it gives anybody a token of any name.
 * In production its place is taken by Clerk, Auth0 or whatever the application signs in with.
 */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";

const SECONDS = 3600;
const KEY_ID = randomUUID();
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

export function issuer(): Plugin {
  const serve = ({ middlewares }: { middlewares: Connect.Server }): void => void middlewares.use("/issuer", answer);
  return { name: "issuer", configureServer: serve, configurePreviewServer: serve };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const own = `http://${request.headers.host}/issuer`;
  const { pathname, searchParams } = new URL(request.url ?? "/", own);
  const found = documents(own, pathname, searchParams.get("name") ?? "");
  response.statusCode = found ? 200 : 404;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Cache-Control", "no-store");
  response.end(JSON.stringify(found ?? { error: "not found" }));
}

function documents(own: string, path: string, name: string): object | undefined {
  switch (path) {
    case "/.well-known/openid-configuration":
      return { issuer: own, jwks_uri: `${own}/jwks` };
    case "/jwks":
      return { keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "sig", alg: "ES256" }] };
    case "/token":
      return name ? { token: token(own, name) } : undefined;
    default:
      return undefined;
  }
}

function token(own: string, name: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: own, aud: "convex", sub: name.toLowerCase(), name, iat: now, exp: now + SECONDS, jti: randomUUID() };
  const head = [{ alg: "ES256", typ: "JWT", kid: KEY_ID }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = sign("sha256", Buffer.from(head.join(".")), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return [...head, signature.toString("base64url")].join(".");
}
