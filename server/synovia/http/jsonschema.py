"""JSON Schema of arguments and results as they are in JSON, from the annotations by way of pydantic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from synovia.functions.function import Function
from synovia_protocol.messages import ArrayRef

PREFIX: Final = "#/components/schemas/"
OWN: Final = "synovia."
"""How the names of Synovia's own schemas begin; no model's does."""
_HOLE: Final = "x-synovia-schema"

_DOUBLES = {"enum": ["NaN", "Infinity", "-Infinity"]}
_BITS = {"type": "string", "pattern": "^0x[0-9a-f]{16}$"}


def _tagged(tag: str, inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {tag: inside}, "required": [tag], "additionalProperties": False}


_ENCODED = {
    "type": "object",
    "properties": {"base64": {"type": "string", "contentEncoding": "base64"}, "subType": {"const": "00"}},
    "required": ["base64"],
    "additionalProperties": False,
}
_REFERENCE = {
    "type": "object",
    "properties": {
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "dtype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    },
    "required": ["digest", "dtype", "shape"],
    "additionalProperties": False,
}
VALUES: Final[Mapping[str, Any]] = {
    "Int64": {
        "description": "An integer of 64 bits with sign; beyond 2**53 - 1 its digits are a string.",
        "anyOf": [{"type": "integer"}, _tagged("$numberLong", {"type": "string", "pattern": "^-?[0-9]+$"})],
    },
    "Double": {
        "description": "A float; what is no number of JSON is a string.",
        "anyOf": [{"type": "number"}, _tagged("$numberDouble", {"anyOf": [_DOUBLES, _BITS]})],
    },
    "Binary": {"description": "Bytes, in base64.", **_tagged("$binary", _ENCODED)},
    "Date": {
        "description": "A moment, to the millisecond.",
        **_tagged("$date", {"type": "string", "format": "date-time"}),
    },
    "ArrayReference": {
        "description": "Names an array; its samples come over the socket.",
        **_tagged("$array", _REFERENCE),
    },
    "Samples": {
        "description": "An array: numbers, or lists of one length of them.",
        "type": "array",
        "items": {"anyOf": [{"$ref": f"{PREFIX}{OWN}Double"}, {"$ref": f"{PREFIX}{OWN}Samples"}]},
    },
}
"""Schemas of the wire values that JSON has no form for; see ``synovia.http.values``."""


def _value(name: str) -> JsonSchemaValue:
    return {_HOLE: OWN + name}


class _Generator(GenerateJsonSchema):
    """Describes values as ``synovia.http.values`` writes them; what it does not know may be anything."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:
        if schema["cls"] is not ArrayRef:
            return {}
        return _value("Samples" if self.mode == "validation" else "ArrayReference")

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        return _value("Binary")

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return _value("Date")

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        bounded = {"le", "lt"} & schema.keys() and {"ge", "gt"} & schema.keys()
        return super().int_schema(schema) if bounded or self.mode == "validation" else _value("Int64")

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        finite = schema.get("allow_inf_nan") is False
        return super().float_schema(schema) if finite or self.mode == "validation" else _value("Double")

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        # Synovia's own serializers hand values on as they are, so the validated type tells more.
        return None if schema["type"] == "function-plain" else super().ser_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"]) if self.mode == "serialization" else super().default_schema(schema)

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        return {}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        """In a result, a field is there unless it is None."""
        return (
            not _may_be_none(field["schema"])
            if self.mode == "serialization"
            else super().field_is_required(field, total)
        )


def _may_be_none(schema: Any) -> bool:
    match schema:
        case {"type": "default", "schema": inner}:
            return ("default" in schema and schema["default"] is None) or _may_be_none(inner)
        case {"type": "nullable" | "none" | "any"}:
            return True
        case {"type": "union", "choices": choices}:
            return any(map(_may_be_none, choices))
    return False


class Described:
    """The schemas of many functions, which share the definitions of their models.

    Attributes:
        definitions: The models, by name.
    """

    def __init__(self, functions: Iterable[Function]) -> None:
        wanted: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
        for function in functions:
            wanted.append((f"{function.path} arguments", "validation", TypeAdapter(function.arguments)))
            wanted.append((f"{function.path} result", "serialization", TypeAdapter(function.returns)))
        found, shared = TypeAdapter.json_schemas(wanted, ref_template=PREFIX + "{model}", schema_generator=_Generator)
        self._schemas = {key: _filled(schema) for (key, _), schema in found.items()}
        self.definitions: dict[str, Any] = {
            **_filled(shared.get("$defs", {})),
            **{OWN + name: value for name, value in VALUES.items()},
        }
        alone = {function.path: self._schemas[f"{function.path} arguments"] for function in functions}
        self._arguments = {path: self._inlined(schema) for path, schema in alone.items()}
        for schema in alone.values():
            self.definitions.pop(_referred(schema), None)

    def _inlined(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Give what is referred to in full: each function has arguments of its own."""
        full = self.definitions.get(_referred(schema), schema)
        return {key: value for key, value in full.items() if key != "title"}

    def arguments(self, function: Function) -> dict[str, Any]:
        """Give the schema of a function's arguments, an object."""
        return self._arguments[function.path]

    def result(self, function: Function) -> dict[str, Any]:
        """Give the schema of a function's result."""
        schema: dict[str, Any] = self._schemas[f"{function.path} result"]
        return schema


def _referred(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(PREFIX)


def _filled(schema: Any) -> Any:
    """Put references where the generator, which knows only its own, has left holes."""
    if isinstance(schema, list):
        return [_filled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    filled = {key: _filled(item) for key, item in schema.items() if key != _HOLE}
    return {**filled, "$ref": PREFIX + schema[_HOLE]} if _HOLE in schema else filled
