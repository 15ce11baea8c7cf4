import { ConnectionLost, FunctionError, RequestTimeout } from "synovia-client";
import { expect, test } from "vitest";
import { refusalOf } from "../src/recordings/refusal.ts";
import { describe as told } from "../src/ui/errors.ts";

test("a known code has words of its own, whatever the server's message", () => {
  expect(told(new FunctionError("not_a_contact", "x"))).toBe("This person is not among your contacts.");
  expect(told(new FunctionError("not_found", "there is no such recording"))).not.toContain("no such recording");
});

test("where the message says more than the code, it is a sentence", () => {
  expect(told(new FunctionError("limit_exceeded", "at most 5 live sessions run"))).toBe("At most 5 live sessions run.");
  expect(told(new FunctionError("some_new_code", "the moon is wrong!"))).toBe("The moon is wrong!");
});

test("what went wrong on the way has words too", () => {
  expect(told(new RequestTimeout("the mutation x: nothing came for 60000 ms"))).toContain("did not answer");
  expect(told(new ConnectionLost("gone"))).toContain("nobody knows");
});

test("anything else is told without details of the program", () => {
  expect(told(null)).toBe("Something went wrong. Please try again.");
  expect(told(new FunctionError("forbidden", ""))).toBe("You may not do this.");
});

test("a refused file is told in the server's words, with its line and what may help", () => {
  const data = { line: 14, reason: "column 'knee_angle_l' is not a number: 'NIL'" };
  expect(refusalOf(422, { error: { message: "walk.mot:14: ...", data } }).message).toBe("Line 14: column 'knee_angle_l' is not a number: 'NIL'.");
  const asked = refusalOf(422, { error: { data: { line: null, reason: "no column is the time", options: ["sampleRate"], columns: ["a", "b"] } } });
  expect(asked.message).toBe("No column is the time.");
  expect([asked.options, asked.columns]).toEqual([["sampleRate"], ["a", "b"]]);
});

test("what else may stop a file has words too", () => {
  expect(refusalOf(422, { error: { message: "not a contact" } }).message).toBe("not a contact");
  expect(refusalOf(413, { error: { message: "too large" } }).message).toBe("The file is larger than the server takes.");
  expect(refusalOf(502, {}).message).toContain("later");
});
