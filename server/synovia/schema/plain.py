"""Fields whose values stand in documents just as they stand in rows, of which nothing has to be found out value by value."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from synovia.schema.specs import Document
from synovia.schema.tables import Table

_KINDS: Final = frozenset({str, int, float, bool, bytes})
_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field that may hold values of some types, each as it is.

    Attributes:
        database: Its name in documents.
        kinds: The types.
    """

    database: str
    kinds: frozenset[type]


@dataclass(frozen=True, slots=True)
class PlainFields:
    """Those of a table, by their Python names."""

    by_name: Mapping[str, PlainField] = field(default_factory=dict)

    def take(self, changes: Mapping[str, Any]) -> bool:
        """Tell whether all of some values may be laid over a row and its document as they are: none is None, has to be made
        fit, or is more than documents hold."""
        for name, value in changes.items():
            plain, kind = self.by_name.get(name), type(value)
            if plain is None or kind not in plain.kinds or (kind is int and not -_INT64 <= value < _INT64):
                return False
        return True

    def lay_over(self, document: Document, changes: Mapping[str, Any]) -> Document:
        """Give a document with what they take in it."""
        after = dict(document)
        for name, value in changes.items():
            after[self.by_name[name].database] = value
        return after


@cache
def plain_fields(table: type[Table]) -> PlainFields:
    """Find the plain fields of a table; it has none if rows are made or written in a way of its own."""
    table.model_rebuild()
    declared = table.__pydantic_decorators__
    own_ways = (
        declared.validators, declared.field_validators, declared.root_validators, declared.model_validators,
        declared.field_serializers, declared.model_serializers, declared.computed_fields,
    )  # fmt: skip
    if any(own_ways) or table.__pydantic_post_init__ or {**table.model_config} != {**Table.model_config}:
        return PlainFields()
    return PlainFields(
        {name: plain for name, info in table.model_fields.items() if (plain := _plain(name, info)) is not None}
    )


def _plain(name: str, info: FieldInfo) -> PlainField | None:
    of_union = get_origin(info.annotation) in (Union, types.UnionType)
    kinds = frozenset(get_args(info.annotation) if of_union else (info.annotation,)) - {type(None)}
    is_plain = kinds and kinds <= _KINDS and not info.metadata and not info.exclude
    return PlainField(info.alias or name, kinds) if is_plain else None
