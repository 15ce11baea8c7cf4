import { describe, expect, it } from "vitest";
import { argumentsOf, inputsOf, snippet, typeOf, type Definitions, type JsonSchema } from "../src/functions/schema.ts";

const DEFINITIONS: Definitions = { Point: { type: "object", properties: { x: { type: "number" } } }, Colour: { enum: ["red", "green"] } };
const SCHEMA: JsonSchema = {
  type: "object",
  required: ["title", "at"],
  properties: {
    title: { type: "string" },
    at: { $ref: "#/components/schemas/Point" },
    count: { type: "integer", default: 5 },
    colour: { anyOf: [{ $ref: "#/components/schemas/Colour" }, { type: "null" }], default: null },
    isOpen: { type: "boolean", default: false },
    tags: { type: "array", items: { type: "string" } },
  },
};

describe("a form from a function's types", () => {
  const inputs = inputsOf(SCHEMA, DEFINITIONS);

  it("asks for each argument in its own way", () => {
    expect(inputs.map(({ name, kind }) => [name, kind])).toEqual([
      ["title", "text"],
      ["at", "json"],
      ["count", "number"],
      ["colour", "choice"],
      ["isOpen", "checkbox"],
      ["tags", "json"],
    ]);
    expect(inputs.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual(["title", "at"]);
    expect(inputs[3]!.choices).toEqual(["red", "green"]);
  });

  it("names the types as Python does", () => {
    expect(inputs.map(({ type }) => type)).toEqual(["str", "Point", "int", "Colour | None", "bool", "list[str]"]);
    expect(typeOf({}, {})).toBe("any");
  });

  it("leaves out what may be left out and is empty", () => {
    expect(argumentsOf(inputs, { title: "", at: '{"x": 1}', count: "", colour: "" })).toEqual({ title: "", at: { x: 1 } });
    expect(argumentsOf(inputs, { title: "t", at: "{}", count: "3", colour: "red", isOpen: true, tags: '["a"]' })).toEqual({
      title: "t",
      at: {},
      count: 3,
      colour: "red",
      isOpen: true,
      tags: ["a"],
    });
  });

  it("says which argument is no JSON", () => {
    expect(() => argumentsOf(inputs, { title: "t", at: "{" })).toThrow(/^at: /);
  });
});

describe("a call to copy", () => {
  it("is good Python, TypeScript and shell", () => {
    const args = { name: "it's", on: true, none: null, list: [1, { a: false }] };
    expect(snippet("python", "mutation", "a:b", args, "https://x")).toContain('client.mutation("a:b", {"name": "it\'s", "on": True, "none": None, "list": [1, {"a": False}]})');
    expect(snippet("python", "query", "a:b", {}, "https://x")).toContain('Client("wss://x", token=os.environ["TOKEN"])');
    expect(snippet("python", "query", "a:b", {}, "https://x", true)).not.toContain("TOKEN");
    expect(snippet("typescript", "query", "a:b", { x: 1 }, "http://x")).toContain('client.query("a:b", {"x":1})');
    expect(snippet("curl", "action", "a:b", { name: "it's" }, "http://x")).toContain(`it'\\''s`);
  });
});
