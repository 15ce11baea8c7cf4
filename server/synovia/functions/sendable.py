"""What can travel: types of arguments and results that no value of the wire fits are told before anybody tries.

Only what cannot be is told. What pydantic hands to code of the application is left to that, and so is a field of an argument
that may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter

from synovia_protocol.messages import ArrayRef

HINTS: Mapping[str, str] = {
    "set": "a list can",
    "frozenset": "a list can",
    "tuple": "as an argument it is a list",
    "date": "an aware datetime can, or a string",
    "Decimal": "a string or a float can",
    "UUID": "a string can",
    "Path": "a string can",
    "time": "a string or a number can",
    "timedelta": "a number can",
    "deque": "a list can",
    "Counter": "a dict can",
    "OrderedDict": "a dict can",
    "defaultdict": "a dict can",
    "a datetime without a time zone": "an aware one can",
    "File": "take an Upload, which ctx.files.accept makes a File",
    "ArrayRef": "declare arrays as Float64Array or Array",
}
"""What can travel instead of a type, by its name."""

_WIRE = (type(None), bool, int, float, str, bytes, datetime, list, dict, ArrayRef)
_NEVER = {"callable": "a function", "is-subclass": "a class"}
_NEVER_STRICTLY = {
    "set": "set", "frozenset": "frozenset", "tuple": "tuple", "date": "date", "time": "time", "timedelta": "timedelta",
    "decimal": "Decimal", "uuid": "UUID", "complex": "complex", "deque": "deque", "counter": "Counter",
    "ordered-dict": "OrderedDict", "fraction": "Fraction",
}  # fmt: skip
_NO_KEYS = frozenset({"none", "bool", "int", "float", "bytes", "datetime", "list", "dict", "model"})
_INSIDE = {
    "default": "schema", "nullable": "schema", "definitions": "schema", "function-after": "schema",
    "custom-error": "schema", "json-or-python": "python_schema", "list": "items_schema",
}  # fmt: skip
"""Schemas that take what another one takes, or lists of it, and where they have it."""

Schema = dict[str, Any]
"""A core schema of pydantic."""


def hint(name: str, *, is_enum: bool = False) -> str:
    """Say what can travel instead of a type of this name."""
    return "; use a Literal" if is_enum else f"; {HINTS.get(name, 'a synovia Model can')}"


def unsendable(arguments: type[BaseModel], *, by_schedule: bool = False) -> list[str]:
    """Say which arguments, and which fields of models in them, no client can send.

    Args:
        by_schedule: Nor the schedule, which keeps enumerations as their values.
    """
    schemas, root = _Schemas(takes_enums=by_schedule), cast(Schema, arguments.__pydantic_core_schema__)
    while root["type"] != "model-fields":
        schemas.define(root)
        root = root["schema"]
    return [
        fault
        for name, field in root["fields"].items()
        for fault in schemas.faults(field["schema"], strict=True, at=f"argument {name!r}")
    ]


def unreturnable(result: TypeAdapter[Any]) -> list[str]:
    """Say what in a function's result can never be sent."""
    return _Schemas(of_result=True).faults(cast(Schema, result.core_schema), strict=True, at="its result")


class _Schemas:
    """The schemas of arguments, or of a result, with those they refer to.

    Arguments are taken as they are where pydantic is strict. What a result becomes depends on its type alone, unless code of
    the application makes something else of it.
    """

    def __init__(self, *, of_result: bool = False, takes_enums: bool = False) -> None:
        self._of_result = of_result
        self._takes_enums = takes_enums
        self._definitions: dict[str, Schema] = {}
        self._seen: dict[tuple[type, bool], list[str]] = {}

    def define(self, schema: Schema) -> None:
        """Remember what a schema defines for those inside it."""
        self._definitions.update({each["ref"]: each for each in schema.get("definitions", ())})

    def faults(self, schema: Schema, *, strict: bool, at: str) -> list[str]:
        """Say what cannot travel in one place."""
        if self._of_result and _is_converted(schema):
            return []
        if self._takes_enums and schema["type"] == "enum":
            return []
        kind, strict = schema["type"], self._of_result or schema.get("strict", strict)
        never = _never_given(schema) if self._of_result else _never_taken(schema, strict)
        if never is not None:
            return [f"{at}: {never} cannot travel{hint(never, is_enum=kind in ('enum', 'literal'))}"]
        match kind:
            case "definition-ref":
                return self.faults(self._definitions.get(schema["schema_ref"], _ANY), strict=strict, at=at)
            case "lax-or-strict":
                return self.faults(schema["strict_schema" if strict else "lax_schema"], strict=strict, at=at)
            case "chain":
                return self.faults(schema["steps"][0], strict=strict, at=at)
            case "dict":
                return self._of_dict(schema, strict, at)
            case "union":
                return self._of_union(schema, strict, at)
            case "model" | "dataclass" | "typed-dict":
                return self._of_class(schema, strict)
        self.define(schema)
        return self.faults(schema.get(_INSIDE.get(kind, ""), _ANY), strict=strict, at=at) if kind != "any" else []

    def _of_dict(self, schema: Schema, strict: bool, at: str) -> list[str]:
        keys, values = schema.get("keys_schema", _ANY), schema.get("values_schema", _ANY)
        if strict and keys["type"] in _NO_KEYS:
            return [f"{at}: the keys of a map are strings, not {keys['type']}"]
        return self.faults(keys, strict=strict, at=at) + self.faults(values, strict=strict, at=at)

    def _of_union(self, schema: Schema, strict: bool, at: str) -> list[str]:
        """Tell of a union only if, but for None, none of its members can travel."""
        options = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
        found = [self.faults(option, strict=strict, at=at) for option in options if option["type"] != "none"]
        return [fault for faults in found for fault in faults] if all(found) else []

    def _of_class(self, schema: Schema, strict: bool) -> list[str]:
        """Look at a model, a dataclass or a TypedDict once for each strictness; a model has settings of its own."""
        cls: type = schema["cls"]
        strict = schema.get("config", {}).get("strict", strict and schema["type"] != "model")
        if (cls, strict) not in self._seen:
            self._seen[cls, strict] = []
            place = f"{cls.__module__}.{cls.__qualname__}"
            self._seen[cls, strict] = [
                fault
                for name, field in _fields(schema)
                if not self._is_left_out(field)
                for fault in self.faults(field["schema"], strict=strict, at=f"{place}.{name}")
            ]
        return self._seen[cls, strict]

    def _is_left_out(self, field: Schema) -> bool:
        """Tell whether a field is never given, or need not be."""
        if not field.get("required", True):  # of a TypedDict
            return True
        if self._of_result:
            return bool(field.get("serialization_exclude"))
        return bool(field["schema"]["type"] == "default")


_ANY: Schema = {"type": "any"}


def _fields(schema: Schema) -> list[tuple[str, Schema]]:
    """Give the fields of a model, a dataclass or a TypedDict with their names; none if its own code reads them."""
    inner = schema if schema["type"] == "typed-dict" else schema["schema"]
    if inner["type"] not in ("model-fields", "dataclass-args", "typed-dict") or schema.get("custom_init"):
        return []
    fields = inner["fields"]
    return [(each["name"], each) for each in fields] if isinstance(fields, list) else list(fields.items())


def _is_converted(schema: Schema) -> bool:
    """Tell whether a serializer of the application's makes something of a value."""
    return "serialization" in schema and not schema["serialization"].get("when_used", "always").startswith("json")


def _never_taken(schema: Schema, strict: bool) -> str | None:
    """Name the type if no value of the wire fits it."""
    match schema:
        case {"type": "is-instance", "cls": type() as cls}:
            return None if any(issubclass(each, cls) for each in _WIRE) else cls.__qualname__
        case {"type": "enum" | "dataclass", "cls": type() as cls}:
            return cls.__qualname__ if strict else None
        case {"type": "literal", "expected": [*expected]}:
            return None if any(isinstance(each, _WIRE) for each in expected) else "an enumeration's member"
        case {"type": "datetime", "tz_constraint": "naive"}:
            return "a datetime without a time zone" if strict else None
        case {"type": str(kind)}:
            return _NEVER.get(kind) or (_NEVER_STRICTLY.get(kind) if strict else None)
    return None


def _never_given(schema: Schema) -> str | None:
    """Name the type if none of its values can be sent; a tuple and a dataclass are, as a list and a map."""
    match schema:
        case {"type": "enum", "cls": type() as cls} if issubclass(cls, _WIRE):
            return None
        case {"type": "tuple" | "dataclass"}:
            return None
    return _never_taken(schema, strict=True)
