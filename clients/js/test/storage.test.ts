/** Every place where an outbox may keep its mutations. */
import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { indexedDbOutbox, localStorageOutbox, type OutboxStorage } from "../src/index.js";
import { browserStorage } from "./browser-storage.js";

const STORAGES: Record<string, () => OutboxStorage> = {
  localStorage: () => localStorageOutbox(browserStorage()),
  IndexedDB: () => indexedDbOutbox(`test ${Math.random()}`),
};

describe.each(Object.entries(STORAGES))("%s", (_, make) => {
  it("gives back the bytes that it was given", async () => {
    const storage = make();
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
    await storage.set("a", bytes);
    await storage.set("b", Uint8Array.of());
    expect(await storage.get("a")).toEqual(bytes);
    expect(await storage.get("b")).toEqual(Uint8Array.of());
    expect([...(await storage.keys())].sort()).toEqual(["a", "b"]);
  });

  it("replaces and removes", async () => {
    const storage = make();
    await storage.set("a", Uint8Array.of(1));
    await storage.set("a", Uint8Array.of(2));
    expect(await storage.get("a")).toEqual(Uint8Array.of(2));
    await storage.remove("a");
    await storage.remove("never there");
    expect(await storage.get("a")).toBe(null);
    expect(await storage.keys()).toEqual([]);
  });
});
