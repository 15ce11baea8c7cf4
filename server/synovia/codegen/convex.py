"""Write ``_generated`` for front ends made with npm ``convex``: ``api`` with its types, and those of documents and ids.

It is what `npx convex codegen` would write of the same application in TypeScript, without ``server``, which only
functions need.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from synovia.codegen import shapes
from synovia.codegen.typescript import TypeWriter, key_of

_SCALARS: dict[str, str] = {
    "none": "null",
    "bool": "boolean",
    "int": "number",
    "int64": "number | bigint",
    "bigint": "bigint",
    "float": "number",
    "str": "string",
    "bytes": "ArrayBuffer",
    "datetime": "number",
    "upload": "string",
    "any": "any",
}
_RESERVED = """
    ArrayRef DataModel Doc Documents Extract FunctionReference GenericId Id PaginationOptions PaginationResult StoredFile
    SystemTableNames TableNames
"""
RESERVED = frozenset(_RESERVED.split())
"""What a model must not be called."""
_FILE = """/** A file: what there is to know of it, not its bytes. */
export interface StoredFile {
  digest: string;
  name: string;
  size: number;
  type: string;
  uploadedAt: number;
}
"""
_ARRAY = """/** An array: which one it is, not its samples. */
export interface ArrayRef {
  digest: string;
  dtype: string;
  shape: number[];
}
"""
_TYPES = """/** The names of the tables whose documents or ids clients see. */
export type TableNames = keyof Documents;

/** A document of a table. */
export type Doc<TableName extends TableNames> = Documents[TableName];

/** The id of a document of a table; at run time a string. */
export type Id<TableName extends TableNames | SystemTableNames> = GenericId<TableName>;

/** The tables as npm `convex` describes them. */
export type DataModel = {
  [TableName in TableNames]: {
    document: Doc<TableName>;
    fieldPaths: Extract<keyof Doc<TableName>, string>;
    indexes: { by_id: ["_id"]; by_creation_time: ["_creationTime"] };
    searchIndexes: {};
    vectorIndexes: {};
  };
};
"""
_API_JS = """import { anyApi, componentsGeneric } from "convex/server";

export const api = anyApi;
export const internal = anyApi;
export const components = componentsGeneric();
"""


def convex(api: shapes.Api, mark: str) -> dict[str, str]:
    """Give the files by name."""
    head, writer = f"// {mark}\n/* eslint-disable */\n", _ConvexWriter(api)
    calls = [*_api(writer, api)]
    data_model = _ConvexWriter(api)
    data_model.named |= writer.named
    return {
        "api.d.ts": "\n".join([head, *calls]),
        "api.js": f"{head}\n{_API_JS}",
        "dataModel.d.ts": "\n".join([head, *_data_model(data_model, api)]),
    }


class _ConvexWriter(TypeWriter):
    """Types as clients of Convex have the values.

    Attributes:
        named: The structures that what it has written names.
    """

    def __init__(self, api: shapes.Api) -> None:
        super().__init__()
        self.named: set[str] = set()
        self._of_convex = {structure.name: structure.of_convex for structure in api.structures if structure.of_convex}

    def structure(self, structure: shapes.Structure) -> str:
        """Write an interface; a row has its time of creation."""
        text = super().structure(structure)
        if not structure.table or structure.given:
            return text
        # a line of its own: docs before it may have the same words
        return text.replace("\n  _id:", "\n  _creationTime: number;\n  _id:", 1)

    def _pair(self, field: shapes.Field, given: bool) -> str:
        if not field.nullable:
            return super()._pair(field, given)
        return f"{key_of(field.name)}: {self.type(field.shape, given)} | null"

    def _reference(self, call: shapes.Call) -> str:
        return f'{self._import("FunctionReference")}<"{call.kind}", "public", '

    def _scalar(self, name: shapes.ScalarName, given: bool) -> str:
        if name == "file":
            self.named.add("StoredFile")
            return "StoredFile"
        return _SCALARS[name]

    def _array(self, dtype: str | None, given: bool) -> str:
        if given:
            return "never"  # no client of Convex can send samples
        self.named.add("ArrayRef")
        return "ArrayRef"

    def _id(self, table: str) -> str:
        self.named.add("Id")
        return super()._id(table)

    def _named(self, name: str, arguments: list[str]) -> str:
        if name in self._of_convex:
            return super()._named(self._import(self._of_convex[name]), arguments)
        self.named.add(name)
        return super()._named(name, arguments)


def _api(writer: _ConvexWriter, api: shapes.Api) -> Iterator[str]:
    modules = writer.inside(api.root, "  ")
    yield _import_of({*writer.imported, "FunctionReference"}, "convex/server")
    if writer.named:
        yield _import_of(writer.named, "./dataModel.js")
    yield f"/** What clients of {api.name} may call, by module. */\nexport declare const api: {{\n{modules}}};\n"
    yield "export declare const internal: {};\nexport declare const components: {};\n"


def _data_model(writer: _ConvexWriter, api: shapes.Api) -> Iterator[str]:
    structures = [writer.structure(structure) for structure in api.structures if not structure.of_convex]
    imported = _import_of({*writer.imported, "SystemTableNames"}, "convex/server")
    yield imported + _import_of({"GenericId"}, "convex/values")
    if "ArrayRef" in writer.named:
        yield _ARRAY
    if "StoredFile" in writer.named:
        yield _FILE
    yield from structures
    rows = {structure.table: structure.name for structure in api.structures if structure.table and not structure.given}
    tables = sorted({*rows, *(table for _, table in api.ids)})
    documents = "".join(f"  {key_of(table)}: {rows.get(table) or _only_an_id(table)};\n" for table in tables)
    yield f"export interface Documents {{\n{documents}}}\n"
    yield _TYPES


def _only_an_id(table: str) -> str:
    return f"{{ _id: GenericId<{json.dumps(table)}>; _creationTime: number }}"


def _import_of(names: set[str], module: str) -> str:
    return f'import type {{ {", ".join(sorted(names))} }} from "{module}";\n' if names else ""
