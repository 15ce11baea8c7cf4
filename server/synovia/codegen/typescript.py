"""Write the TypeScript client: an interface for each structure, and ``api``, the paths that know their types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from pydantic.alias_generators import to_camel

from synovia.codegen import shapes
from synovia.codegen.names import words
from synovia.functions.function import Kind

_SCALARS = {
    "none": "null",
    "bool": "boolean",
    "int": "number",
    "int64": "number | bigint",
    "bigint": "number | bigint",
    "float": "number",
    "str": "string",
    "bytes": "Uint8Array",
    "datetime": "Date",
}
_REFERENCES = {Kind.QUERY: "QueryReference", Kind.MUTATION: "MutationReference", Kind.ACTION: "ActionReference"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_SAFE = 2**53
_WIDTH = 120
_ID = """declare const table: unique symbol;

/** The id of a document of a table; at run time a string. */
export type Id<Table extends string = string> = string & { readonly [table]: Table };
"""


def typescript(api: shapes.Api, mark: str) -> dict[str, str]:
    """Give the files of the client by name."""
    writer = TypeWriter()
    structures = [writer.structure(structure) for structure in api.structures]
    calls = writer.api(api)
    head = [f"// {mark}\n/* eslint-disable */\n"]
    if writer.imported:
        head.append(f'import type {{ {", ".join(sorted(writer.imported))} }} from "synovia-client";\n')
    if api.ids:
        head.append(_ID)
    return {"api.ts": "\n".join([*head, *structures, calls])}


class TypeWriter:
    """Writes structures, calls and types, as Synovia's own client has them.

    Attributes:
        imported: The names that what it has written needs of the client.
    """

    def __init__(self) -> None:
        self.imported: set[str] = set()
        self._parameters: dict[str, str] = {}

    def _import(self, name: str) -> str:
        self.imported.add(name)
        return name

    # --- declarations

    def structure(self, structure: shapes.Structure) -> str:
        """Write an interface."""
        names = structure.parameters
        self._parameters = {name: "T" if len(names) == 1 else f"T{n}" for n, name in enumerate(names, 1)}
        parameters = f"<{', '.join(self._parameters.values())}>" if names else ""
        fields = "".join(self._member(field, structure.given, "  ") for field in structure.fields)
        return f"{_jsdoc(structure.doc, '')}export interface {structure.name}{parameters} {{\n{fields}}}\n"

    def _member(self, field: shapes.Field, given: bool, indent: str) -> str:
        return f"{_jsdoc(field.doc, indent)}{indent}{self._pair(field, given)};\n"

    def _pair(self, field: shapes.Field, given: bool) -> str:
        return f"{key_of(field.name)}{'' if field.required else '?'}: {self.type(field.shape, given)}"

    def api(self, api: shapes.Api) -> str:
        """Write ``api``."""
        modules = self.inside(api.root, "  ")
        return f"/** What clients of {api.name} may call, by module. */\nexport const api = {{\n{modules}}};\n"

    def inside(self, module: shapes.Module, indent: str) -> str:
        """Write the calls of a module, and the modules in the folder of its name."""
        calls = "".join(self._call(call, indent) for call in module.calls)
        return calls + "".join(
            f"{indent}{_value_key(to_camel(name))}: {{\n{self.inside(each, indent + '  ')}{indent}}},\n"
            for name, each in module.inside.items()
        )

    def _reference(self, call: shapes.Call) -> str:
        """Write all of a call that comes before its types."""
        return f"{json.dumps(call.path)} as {self._import(_REFERENCES[call.kind])}<"

    def _call(self, call: shapes.Call, indent: str) -> str:
        head = f"{indent}{_value_key(to_camel(call.name))}: {self._reference(call)}"
        result = self.type(call.result, given=False)
        line = f"{head}{self._inline(call.arguments)}, {result}>,"
        if len(line) > _WIDTH or any(field.doc for field in call.arguments):
            members = "".join(self._member(field, True, indent + " " * 4) for field in call.arguments)
            line = f"{head.rstrip()}\n{indent}  {{\n{members}{indent}  }},\n{indent}  {result}\n{indent}>,"
        return f"{_jsdoc(words(call.doc).text, indent)}{line}\n"

    def _inline(self, arguments: Iterable[shapes.Field]) -> str:
        pairs = "; ".join(self._pair(field, given=True) for field in arguments)
        return f"{{ {pairs} }}" if pairs else "Record<string, never>"

    # --- types

    def type(self, shape: shapes.Shape, given: bool) -> str:
        """Write a type, as an argument or as (part of) a result."""
        match shape:
            case shapes.Scalar(name):
                return self._scalar(name, given)
            case shapes.Choice(values):
                return " | ".join(map(_constant, values))
            case shapes.IdOf(table):
                return self._id(table)
            case shapes.ArrayOf(dtype):
                return self._array(dtype, given)
            case shapes.ListOf(item):
                return f"{'readonly ' if given else ''}{self._operand(item, given)}[]"
            case shapes.TupleOf(items):
                return f"[{', '.join(self.type(item, given) for item in items)}]"
            case shapes.MapOf(value):
                return f"Record<string, {self.type(value, given)}>"
            case shapes.OneOf(options):
                return " | ".join(self.type(option, given) for option in options)
            case shapes.Reference(name, arguments):
                return self._named(name, [self.type(each, given) for each in arguments])
            case shapes.Parameter(name):
                return self._parameters[name]

    def _scalar(self, name: shapes.ScalarName, given: bool) -> str:
        if name == "any":
            return "unknown" if given else self._import("Value")
        if name in ("file", "upload"):
            return self._import("StoredFile" if name == "file" else "UploadId")
        return _SCALARS[name]

    def _id(self, table: str) -> str:
        return f"Id<{json.dumps(table)}>"

    def _named(self, name: str, arguments: list[str]) -> str:
        return f"{name}<{', '.join(arguments)}>" if arguments else name

    def _operand(self, shape: shapes.Shape, given: bool) -> str:
        text = self.type(shape, given)
        compound = isinstance(shape, shapes.OneOf | shapes.Choice | shapes.Scalar | shapes.ArrayOf) and " | " in text
        return f"({text})" if compound or text.startswith("readonly ") else text

    def _array(self, dtype: str | None, given: bool) -> str:
        ref = self._import("ArrayRef")
        if not given:
            return ref
        samples = "Float64Array" if dtype == "float64" else self._import("TypedArray")
        return f"{samples} | {self._import('NdArray')} | {ref}"


def _constant(value: str | int | bool) -> str:
    if isinstance(value, int) and abs(value) >= _SAFE:
        return f"{value}n"
    return json.dumps(value, ensure_ascii=False)


def key_of(name: str) -> str:
    """Write the key of a field, in quotes if it needs them."""
    return name if _IDENTIFIER.match(name) else json.dumps(name, ensure_ascii=False)


def _value_key(name: str) -> str:
    return '["__proto__"]' if name == "__proto__" else key_of(name)


def _jsdoc(text: str, indent: str) -> str:
    lines = text.replace("*/", "*\\/").replace("``", "`").splitlines()
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"
