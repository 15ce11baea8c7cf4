/** Signing in from a desktop program: with a browser at a real issuer, which makes every mistake, and at a real hub. */
import { request } from "node:http";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { SynoviaClient, type ClientOptions } from "../../src/index.js";
import { desktopSignIn, signInWays, SignInError, systemTokens, type DesktopSignInOptions } from "../../src/desktop/index.js";
import { listen } from "../../src/desktop/node.js";
import { noHub, startHub, type Hub } from "../hub.js";
import { ManualClock } from "../manual-clock.js";
import { TESTS } from "../paths.js";
import { until } from "../until.js";
import { Browser, Issuer, visit } from "./issuer.js";

const ME = "board:whoami";

const MISTAKES: Record<string, string> = {
  wrong_state: "state_mismatch",
  wrong_issuer: "issuer_mismatch",
  no_code: "issuer_error",
  access_denied: "denied",
  server_error: "issuer_error",
  wrong_verifier: "code_refused",
  wrong_nonce: "nonce_mismatch",
  no_nonce: "nonce_mismatch",
  wrong_audience: "audience_mismatch",
  shared_audience: "audience_mismatch",
  expired: "token_expired",
  no_expiry: "bad_token",
  token_of_another: "issuer_mismatch",
  no_token: "bad_token",
  no_jwt: "bad_token",
  broken: "issuer_unreachable",
  no_configuration: "bad_issuer",
  other_configuration: "bad_issuer",
  plain_endpoint: "bad_issuer",
  no_s256: "bad_issuer",
};

describe.skipIf(noHub)("signing in from a desktop program", () => {
  let issuer: Issuer;
  let hub: Hub;
  let browser: Browser;
  const clients: SynoviaClient[] = [];

  beforeAll(async () => {
    issuer = await Issuer.start();
    const issuers = JSON.stringify([{ issuer: issuer.url, audience: ["the-page", "the-program"] }]);
    hub = await startHub({ app: resolve(TESTS, "apps/board.py"), environment: { SYNOVIA_AUTH_ISSUERS: issuers } });
  }, 60_000);
  afterAll(async () => {
    await Promise.all([issuer?.stop(), hub?.kill()]);
  });
  beforeEach(async () => {
    browser = new Browser();
    await issuer.behave();
  });
  afterEach(() => clients.splice(0).forEach((client) => client.close()));

  function connect(options: ClientOptions = {}): SynoviaClient {
    const client = new SynoviaClient(hub.url, { WebSocket, ...options });
    clients.push(client);
    return client;
  }

  function signIn(options: Partial<DesktopSignInOptions> = {}): Promise<string> {
    return desktopSignIn({ url: hub.url, openUrl: browser.open, listen, ...options });
  }

  it("lets a browser sign in, keeps what comes of it, and signs in again without a question", async () => {
    const kept: (string | null)[] = [null];
    const secrets = { load: () => Promise.resolve(kept.at(-1)!), save: (text: string | null) => void kept.push(text) };
    const client = connect({ tokens: await systemTokens(secrets) });
    await signIn({ loginHint: "grace@example.org", authenticate: (token) => client.authenticate(token) });
    expect(await client.query(ME, {})).toBe("grace@example.org");
    const [status, text] = await browser.pages[0]!;
    expect([status, text]).toEqual([200, expect.stringContaining("You are signed in")]);
    const asked = browser.addresses[0]!.searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({ theme: "light", client_id: "the-program", code_challenge_method: "S256" });
    expect(asked.get("redirect_uri")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(Object.keys(JSON.parse(await until(() => kept.at(-1))) as object)).toEqual(["refreshToken"]);
    client.close();
    const again = connect({ tokens: await systemTokens(secrets) });
    expect(await again.query(ME, {})).toBe("grace@example.org");
    await again.signOut();
    expect(await again.query(ME, {})).toBe(null);
    await until(() => kept.at(-1) === null);
  });

  it("knows the ways that the hub offers", async () => {
    const way = { issuer: issuer.url, name: "127.0.0.1", clientIds: ["the-page", "the-program"] };
    expect(await signInWays({ url: hub.url })).toEqual({ issuers: [way], email: true, development: true });
    await expect(signIn({ issuer: "https://other.example" })).rejects.toMatchObject({ code: "no_such_way" });
    await expect(signInWays({ url: "ws://127.0.0.1:1" })).rejects.toMatchObject({ code: "hub_unreachable" });
  });

  it.each(Object.entries(MISTAKES))("tells the mistake %s as %s, and works the next time", async (fault, code) => {
    await issuer.behave(fault);
    const error = await signIn().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SignInError);
    expect(error).toMatchObject({ code });
    expect((error as SignInError).message).not.toMatch(/\p{C}/u);
    const [page] = await Promise.all(browser.pages);
    if (page) expect(page).toEqual([400, expect.stringContaining("You are not signed in")]);
    await issuer.behave();
    expect((await signIn()).split(".")).toHaveLength(3);
  });

  it("tells the browser when the hub does not accept the token", async () => {
    await issuer.behave("forged");
    const client = connect();
    const refused = signIn({ authenticate: (token) => client.authenticate(token) });
    await expect(refused).rejects.toMatchObject({ name: "AuthenticationError", code: "invalid_token" });
    expect((await browser.pages[0]!)[0]).toBe(400);
  });

  it("sends a secret along where an issuer wants one", async () => {
    await issuer.behave("", { secret: "no secret at all" });
    await expect(signIn()).rejects.toMatchObject({ code: "code_refused" });
    await signIn({ clientIds: { [issuer.url]: "the-page" }, clientSecrets: { [issuer.url]: "no secret at all" } });
    expect(browser.addresses.at(-1)!.searchParams.get("client_id")).toBe("the-page");
  });

  it("is not moved by strange requests at the port, and closes it", async () => {
    let asked: URL | undefined;
    const signingIn = signIn({ openUrl: (url) => void (asked = new URL(url)) });
    const question = await until(() => asked);
    const back = question.searchParams.get("redirect_uri")!;
    const query = `?code=x&state=${question.searchParams.get("state")}`;
    expect(await Promise.all([
      visit(`${back}favicon.ico`),
      visit(back),
      visit(back + query, { method: "POST" }),
      visitAs("evil.example", back + query),
    ])).toEqual([404, 400, 405, 404].map((status) => [status, expect.stringContaining("<h1>")]));
    browser.open(question.href);
    await signingIn;
    expect((await browser.pages[0]!)[0]).toBe(200);
    expect((await visit(back + query))[0], "the port is closed").toBe(0);
  });

  it("does not wait for who opens the browser, which may return when that is closed", async () => {
    expect(await signIn({ openUrl: (url) => visit(url) })).toBeTypeOf("string");
  });

  it("gives up when it is aborted, when the browser cannot be opened, and when it does not come back", async () => {
    const controller = new AbortController();
    const aborted = signIn({ signal: controller.signal, openUrl: () => controller.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "cancelled" });
    await expect(signIn({ openUrl: () => Promise.resolve(false) })).rejects.toMatchObject({ code: "no_browser" });
    await expect(signIn({ openUrl: () => Promise.reject(new Error("no display")) })).rejects.toThrow("no display");
    await expect(signIn({ listen: () => Promise.reject(new Error("no port")) })).rejects.toMatchObject({ code: "no_browser" });
    const clock = new ManualClock();
    const late = signIn({ clock, openUrl: () => setImmediate(() => clock.advance(300_000)) });
    await expect(late).rejects.toMatchObject({ code: "timed_out", message: "the browser did not come back within 300 s" });
  });
});

/** Ask with another name of the host than the address has. */
function visitAs(host: string, url: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += String(data)));
      response.on("end", () => resolve([response.statusCode!, text]));
    }).on("error", reject).end();
  });
}
