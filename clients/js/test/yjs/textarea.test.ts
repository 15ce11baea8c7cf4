/** Finding what was typed, and keeping carets in their place. */
import { expect, it } from "vitest";
import { editBetween } from "../../src/yjs/index.js";

it.each([
  ["", "a", 1, { at: 0, removed: 0, added: "a" }],
  ["aaa", "aaaa", 2, { at: 1, removed: 0, added: "a" }],
  ["aaa", "aaaa", 4, { at: 3, removed: 0, added: "a" }],
  ["aaa", "aa", 0, { at: 0, removed: 1, added: "" }],
  ["hello world", "hello", 5, { at: 5, removed: 6, added: "" }],
  ["hello", "hallo", 2, { at: 1, removed: 1, added: "a" }],
  ["same", "same", 2, { at: 2, removed: 0, added: "" }],
  ["a😀b", "a😁b", 3, { at: 1, removed: 2, added: "😁" }],
  ["😀", "😀😀", 2, { at: 0, removed: 0, added: "😀" }],
])("%j becomes %j with the caret at %i", (before, after, caret, expected) => {
  const edit = editBetween(before, after, caret);
  expect(edit).toEqual(expected);
  expect(before.slice(0, edit.at) + edit.added + before.slice(edit.at + edit.removed)).toBe(after);
});

it("makes the one of the other, whatever they are", () => {
  const letters = ["a", "b", "😀", "😁"];
  for (let seed = 0; seed < 4096; seed++) {
    const word = (bits: number): string => [0, 2, 4].map((shift) => letters[(bits >> shift) & 3]!).slice(0, bits % 4).join("");
    const [before, after] = [word(seed & 63), word(seed >> 6)];
    for (let caret = 0; caret <= after.length; caret++) {
      const { at, removed, added } = editBetween(before, after, caret);
      expect(before.slice(0, at) + added + before.slice(at + removed)).toBe(after);
    }
  }
});
