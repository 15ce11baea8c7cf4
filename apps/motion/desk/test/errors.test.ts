import { ConnectionLost, FunctionError, RequestTimeout } from "synovia-client";
import { expect, test } from "vitest";
import { refusal } from "../src/recordings/refusal.ts";
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

test("a refused file is told in the server's words, with its line", () => {
  expect(refusal(422, "walk.mot:14: column 'knee_angle_l' is not a number: 'NIL'")).toBe("walk.mot:14: column 'knee_angle_l' is not a number: 'NIL'");
  expect(refusal(413, "too large")).toBe("The file is larger than the server takes.");
  expect(refusal(502, undefined)).toContain("later");
});
