/** Patches and digests of random values, made by the server's own code. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { digest } from "../../src/protocol/digest.js";
import { apply } from "../../src/protocol/patch.js";
import { share } from "../../src/protocol/sharing.js";
import { FROM_SERVER, unpack, unpackMessage } from "../../src/protocol/unpack.js";
import { hex } from "../../src/protocol/values.js";
import { PYTHON } from "../paths.js";
import { fromHex } from "./vectors.js";

const SCRIPT = "test/protocol/differences.py";
const missing = existsSync(PYTHON) || process.env.CI === "true" ? undefined : `no ${PYTHON}: run make`;

describe.skipIf(missing)(`patches of random values${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it.each([1, 2, 3, 4])("seed %i", (seed) => {
    const lines = execFileSync(PYTHON, [SCRIPT, String(seed), "500"], { encoding: "utf8" }).trim().split("\n");
    expect(lines).toHaveLength(500);
    for (const line of lines) check(JSON.parse(line));
  });
});

function check({ old, patch, ...wanted }: Record<"old" | "patch" | "new" | "digest", string>): void {
  const [before, after] = [unpack(fromHex(old)), unpack(fromHex(wanted.new))];
  const [fields] = unpackMessage(fromHex(`91${patch}`), FROM_SERVER);
  const patched = apply(before, (fields as unknown[])[0]);
  expect(patched).toStrictEqual(after);
  expect(hex(digest(patched))).toBe(wanted.digest);
  expect(before).toStrictEqual(unpack(fromHex(old)));
  // sharing changes identities and nothing else
  const shared = share(before, after);
  expect(shared).toStrictEqual(after);
  expect(share(after, unpack(fromHex(wanted.new)))).toBe(after);
}
