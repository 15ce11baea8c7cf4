/** Tokens in the system's own store, which may fail or hang. */
import { expect, it, vi } from "vitest";
import { systemTokens, tokensIn, type SecretStore } from "../../src/desktop/index.js";
import { ManualClock } from "../manual-clock.js";
import { settled } from "../until.js";

const TOKENS = { token: "short", refreshToken: "long", expiresAt: 5 };

it("keeps what signs in again, in order, and only what is new", async () => {
  const saved: (string | null)[] = [];
  let free = (): void => undefined;
  const save = (text: string | null): Promise<void> => {
    saved.push(text);
    return new Promise((resolve) => (free = resolve));
  };
  const tokens = await systemTokens({ load: () => '{"refreshToken":"old"}', save });
  expect(tokens.load()).toEqual({ token: null, refreshToken: "old", expiresAt: null });
  tokens.save(TOKENS);
  tokens.save({ ...TOKENS, token: "another" });
  tokens.save(null);
  expect(tokens.load()).toBe(null);
  await settled();
  expect(saved).toEqual(['{"refreshToken":"long"}']);
  free();
  await settled();
  expect(saved).toEqual(['{"refreshToken":"long"}', null]);
});

it.each<[string, Partial<SecretStore>]>([
  ["cannot be read", { load: () => Promise.reject(new Error("it is locked")) }],
  ["cannot be written", { save: () => { throw new Error("it is locked"); } }],
])("holds them in memory, and says so once, when the store %s", async (_, failing) => {
  const warned = vi.fn();
  const tokens = await systemTokens({ load: () => null, save: () => undefined, ...failing }, { warned });
  for (const refreshToken of ["one", "two"]) tokens.save({ ...TOKENS, refreshToken });
  await settled();
  expect(tokens.load()?.refreshToken).toBe("two");
  expect(warned.mock.calls).toEqual([["you will have to sign in again at the next start: it is locked"]]);
});

it("does not wait for ever for a store that hangs", async () => {
  const [clock, warned] = [new ManualClock(), vi.fn()];
  const made = systemTokens({ load: () => new Promise(() => undefined), save: () => undefined }, { clock, warned });
  clock.advance(10_000);
  expect((await made).load()).toBe(null);
  expect(warned).toHaveBeenCalledOnce();
});

it.each(["", "null", "[1]", "{", '{"token":5}', '{"refreshToken":""}'])("takes %s for nothing", (text) => {
  expect(tokensIn(text)).toBe(null);
});
