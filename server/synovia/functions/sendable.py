"""What a client can send: argument types that no value of the wire fits are told before anybody tries.

Only what cannot be is told. What pydantic hands to code of the application is left to that, and so is a model's field that
may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel

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


def unsendable(arguments: type[BaseModel]) -> list[str]:
    """Say which arguments, and which fields of models in them, no client can send."""
    schemas = _Schemas(cast(Schema, arguments.__pydantic_core_schema__))
    return [
        fault
        for name, field in schemas.root["fields"].items()
        for fault in schemas.faults(field["schema"], strict=True, at=f"argument {name!r}")
    ]


class _Schemas:
    """The schema of a model of arguments with those it refers to.

    Attributes:
        root: The fields of the model.
    """

    def __init__(self, schema: Schema) -> None:
        self._definitions: dict[str, Schema] = {}
        self._models: dict[type, list[str]] = {}
        while schema["type"] != "model-fields":
            self._define(schema)
            schema = schema["schema"]
        self.root = schema

    def _define(self, schema: Schema) -> None:
        self._definitions.update({each["ref"]: each for each in schema.get("definitions", ())})

    def faults(self, schema: Schema, *, strict: bool, at: str) -> list[str]:
        """Say what no client can send in one place."""
        kind, strict = schema["type"], schema.get("strict", strict)
        never = _never(schema, strict)
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
            case "model":
                return self._of_model(schema)
        self._define(schema)
        return self.faults(schema.get(_INSIDE.get(kind, ""), _ANY), strict=strict, at=at) if kind != "any" else []

    def _of_dict(self, schema: Schema, strict: bool, at: str) -> list[str]:
        keys, values = schema.get("keys_schema", _ANY), schema.get("values_schema", _ANY)
        if strict and keys["type"] in _NO_KEYS:
            return [f"{at}: the keys of a map are strings, not {keys['type']}"]
        return self.faults(keys, strict=strict, at=at) + self.faults(values, strict=strict, at=at)

    def _of_union(self, schema: Schema, strict: bool, at: str) -> list[str]:
        """Tell of a union only if, but for None, none of its members can be sent."""
        options = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
        found = [self.faults(option, strict=strict, at=at) for option in options if option["type"] != "none"]
        return [fault for faults in found for fault in faults] if all(found) else []

    def _of_model(self, schema: Schema) -> list[str]:
        """Look at a model once; it has settings of its own."""
        model: type[BaseModel] = schema["cls"]
        if model not in self._models:
            self._models[model] = []
            if schema["schema"]["type"] == "model-fields" and not schema.get("custom_init"):
                self._models[model] = self._of_fields(model, schema)
        return self._models[model]

    def _of_fields(self, model: type[BaseModel], schema: Schema) -> list[str]:
        strict, place = schema.get("config", {}).get("strict", False), f"{model.__module__}.{model.__qualname__}"
        fields = {name: field["schema"] for name, field in schema["schema"]["fields"].items()}
        found = [
            self.faults(field, strict=strict, at=f"{place}.{name}")
            for name, field in fields.items()
            if field["type"] != "default"
        ]
        return [fault for faults in found for fault in faults]


_ANY: Schema = {"type": "any"}


def _never(schema: Schema, strict: bool) -> str | None:
    """Name the type if no value of the wire fits it."""
    match schema:
        case {"type": "is-instance", "cls": type() as cls}:
            return None if any(issubclass(each, cls) for each in _WIRE) else cls.__qualname__
        case {"type": "enum", "cls": type() as cls}:
            return cls.__qualname__ if strict else None
        case {"type": "literal", "expected": [*expected]}:
            return None if any(isinstance(each, _WIRE) for each in expected) else "an enumeration's member"
        case {"type": "datetime", "tz_constraint": "naive"}:
            return "a datetime without a time zone" if strict else None
        case {"type": str(kind)}:
            return _NEVER.get(kind) or (_NEVER_STRICTLY.get(kind) if strict else None)
    return None
