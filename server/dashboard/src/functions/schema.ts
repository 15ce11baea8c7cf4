/** Forms from the JSON Schema of a function's arguments. */

export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export type Definitions = Readonly<Record<string, JsonSchema>>;
export type InputKind = "text" | "number" | "checkbox" | "choice" | "json";

const PREFIX = "#/components/schemas/";

/** What is asked for one argument. */
export interface Input {
  readonly name: string;
  readonly kind: InputKind;
  readonly type: string;
  readonly isRequired: boolean;
  readonly choices: readonly string[];
  readonly initial: unknown;
}

export function resolve(schema: JsonSchema, definitions: Definitions): JsonSchema {
  const name = schema.$ref?.startsWith(PREFIX) ? schema.$ref.slice(PREFIX.length) : undefined;
  return name === undefined ? schema : (definitions[name] ?? schema);
}

export function inputsOf(schema: JsonSchema, definitions: Definitions): Input[] {
  const whole = resolve(schema, definitions);
  return Object.entries(whole.properties ?? {}).map(([name, property]) => {
    const isRequired = whole.required?.includes(name) ?? false;
    const { kind, choices } = kindOf(property, definitions);
    return { name, kind, choices, isRequired, type: typeOf(property, definitions), initial: property.default };
  });
}

function kindOf(schema: JsonSchema, definitions: Definitions): { kind: InputKind; choices: readonly string[] } {
  const whole = resolve(schema, definitions);
  const some = whole.anyOf?.filter((each) => each.type !== "null");
  if (some?.length === 1) return kindOf(some[0]!, definitions);
  if (whole.enum?.every((each) => typeof each === "string")) return { kind: "choice", choices: whole.enum as string[] };
  const kinds: Record<string, InputKind> = { string: "text", integer: "number", number: "number", boolean: "checkbox" };
  return { kind: kinds[whole.type ?? ""] ?? "json", choices: [] };
}

/** Write a type as Python would. */
export function typeOf(schema: JsonSchema, definitions: Definitions): string {
  const reference = schema.$ref?.slice(PREFIX.length);
  if (reference) return reference.replace(/^synovia\./, "");
  if (schema.anyOf) return schema.anyOf.map((each) => typeOf(each, definitions)).join(" | ");
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list[${schema.items ? typeOf(schema.items, definitions) : "any"}]`;
  const names: Record<string, string> = { string: "str", integer: "int", number: "float", boolean: "bool", null: "None", object: "dict" };
  return names[schema.type ?? ""] ?? "any";
}

/** What the fields of a form hold, as the arguments; fields that may be left out and are empty are left out. */
export function argumentsOf(inputs: readonly Input[], given: Readonly<Record<string, string | boolean>>): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const { name, kind, isRequired } of inputs) {
    const value = given[name];
    if (kind === "checkbox") {
      if (value !== undefined || isRequired) args[name] = Boolean(value);
    } else if (value !== undefined && (value !== "" || (isRequired && kind === "text"))) {
      args[name] = kind === "number" ? Number(value) : kind === "json" ? parsed(name, String(value)) : value;
    }
  }
  return args;
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

const TOKEN = '-H "Authorization: Bearer $TOKEN"';

/**
 * The call as a program of its own in a language. What needs a token takes it from the variable TOKEN.
 * @param isPublic Whether no token is needed.
 */
export function snippet(language: "python" | "typescript" | "curl", kind: string, path: string, args: Record<string, unknown>, origin: string, isPublic = false): string {
  const json = JSON.stringify(args);
  const hub = origin.replace(/^http/, "ws");
  if (language === "curl") {
    const token = isPublic ? "" : ` \\\n  ${TOKEN}`;
    return `curl ${origin}/api/${kind} \\\n  -H 'Content-Type: application/json'${token} \\\n  -d '${JSON.stringify({ path, args }).replaceAll("'", "'\\''")}'`;
  }
  if (language === "python") {
    return [
      "import asyncio",
      ...(isPublic ? [] : ["import os"]),
      "",
      "from synovia_client import Client",
      "",
      "",
      "async def main() -> None:",
      `    async with Client("${hub}"${isPublic ? "" : ', token=os.environ["TOKEN"]'}) as client:`,
      `        print(await client.${kind}("${path}", ${python(args)}))`,
      "",
      "",
      "asyncio.run(main())",
    ].join("\n");
  }
  return [
    'import { SynoviaClient } from "synovia-client";',
    "",
    `const client = new SynoviaClient("${hub}"${isPublic ? "" : ", { token: process.env.TOKEN }"});`,
    `console.log(await client.${kind}("${path}", ${json}));`,
    "client.close();",
  ].join("\n");
}

/** The request to a route, of the method that changes least. */
export function routeSnippet(methods: readonly string[], pattern: string, origin: string, isPublic = false): string {
  const method = methods.includes("GET") ? "GET" : (methods[0] ?? "GET");
  return `curl ${method === "GET" ? "" : `-X ${method} `}${isPublic ? "" : `${TOKEN} `}'${origin}${pattern}'`;
}

function python(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${python(item)}`).join(", ")}}`;
  return JSON.stringify(value);
}
