"""Conditions on fields: one small tree that MongoDB evaluates as a filter and SQLite evaluates here.

Both give the same answer, that of MongoDB's query language: a comparison holds only between values of one type, a
missing field equals None, and a condition on an array field holds when it holds for one of the elements.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import Any, Final, Literal

import bson
from bson import DBRef
from bson.codec_options import CodecOptions, DatetimeConversion

from synovia.keys.encoding import NAN, Tag, encode_value

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "starts"]
"""``starts`` holds for a text that begins with the value."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """``field operator value``; the field is a database name, dots reach into maps and arrays of maps.

    Two are equal if their values are of one rank: 1 equals 1.0 but not True, and values that Python cannot hash will do.
    """

    field: str
    operator: Operator
    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self._rank() == other._rank()

    def __hash__(self) -> int:
        return hash(self._rank())

    def _rank(self) -> tuple[str, Operator, bytes]:
        return self.field, self.operator, encode_value(list(self.value) if self.operator == "in" else self.value)


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: Filter


Filter = Comparison | AllOf | AnyOf | Not

_CODEC: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)

Test = Callable[[Mapping[str, Any]], bool]
"""A filter made ready: whether a document satisfies it."""


def dump(condition: Filter) -> bytes:
    """Give a filter as BSON."""
    return bson.encode(_map_of(condition))


def load(data: bytes) -> Filter:
    """Give the filter that ``dump`` has made."""
    found: dict[str, Any] = bson.decode(data, _CODEC)
    return _filter_of(found)


def _map_of(condition: Filter) -> dict[str, Any]:
    match condition:
        case Comparison(field, operator, value):
            return {"field": field, "operator": operator, "value": list(value) if operator == "in" else value}
        case Not(inner):
            return {"not": _map_of(inner)}
        case AllOf(conditions):
            return {"all": [_map_of(each) for each in conditions]}
        case AnyOf(conditions):
            return {"any": [_map_of(each) for each in conditions]}


def _filter_of(found: Mapping[str, Any]) -> Filter:
    match found:
        case {"not": inner}:
            return Not(_filter_of(inner))
        case {"all": [*conditions]}:
            return AllOf(tuple(map(_filter_of, conditions)))
        case {"any": [*conditions]}:
            return AnyOf(tuple(map(_filter_of, conditions)))
        case _:
            return Comparison(found["field"], found["operator"], found["value"])


def matches(condition: Filter, document: Mapping[str, Any]) -> bool:
    """Tell whether a document satisfies a filter; ``compiled`` is faster for many documents."""
    return compiled(condition)(document)


@lru_cache(maxsize=4096)
def compiled(condition: Filter) -> Test:
    """Make a filter ready to be asked about many documents.

    Raises:
        TypeError: It compares with something that is not a BSON value.
    """
    match condition:
        case Comparison():
            return _comparison(condition)
        case Not(inner):
            test = compiled(inner)
            return lambda document: not test(document)
        case AllOf(conditions):
            every = [compiled(part) for part in conditions]
            return lambda document: all(test(document) for test in every)
        case AnyOf(conditions):
            some = [compiled(part) for part in conditions]
            return lambda document: any(test(document) for test in some)


def _comparison(comparison: Comparison) -> Test:
    if comparison.operator == "ne":
        equals = _comparison(Comparison(comparison.field, "eq", comparison.value))
        return lambda document: not equals(document)
    holds = _VALUE_TESTS[comparison.operator](comparison.value)
    path = comparison.field.split(".")
    if len(path) > 1:
        return lambda document: any(holds(value) for value in _leaves(document, path))
    return lambda document: _holds_at(holds, document.get(comparison.field))


def _holds_at(holds: Callable[[Any], bool], value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(holds(element) for element in value) or holds(value)
    return holds(value)


def _leaves(document: Mapping[str, Any], path: list[str]) -> Iterator[Any]:
    """Give every value at ``path``, through arrays of maps; a final array gives its elements and then itself."""
    value: Any = document
    for depth, name in enumerate(path):
        if isinstance(value, list | tuple):
            for element in value:
                if isinstance(element, Mapping | DBRef):
                    yield from _leaves(_as_map(element), path[depth:])
            return
        value = _as_map(value).get(name)
    if isinstance(value, list | tuple):
        yield from value
    yield value


def _as_map(value: Any) -> Mapping[str, Any]:
    if isinstance(value, DBRef):
        return value.as_doc()
    return value if isinstance(value, Mapping) else {}


# --- one value ---------------------------------------------------------------------------------------------------------

_PLAIN = (str, int, bool)
"""Types whose values, among themselves, Python compares as MongoDB does."""


def _equality(bound: Any) -> Callable[[Any], bool]:
    kind, key = type(bound), encode_value(bound)
    if kind in _PLAIN:
        return lambda value: value == bound if type(value) is kind else encode_value(value) == key
    return lambda value: encode_value(value) == key


def _membership(bounds: Any) -> Callable[[Any], bool]:
    keys = {encode_value(bound) for bound in bounds}
    return lambda value: encode_value(value) in keys


def _beginning(bound: Any) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value.startswith(bound)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Callable[[Any], bool]]:
    """Make the test for ``<``, ``<=``, ``>`` or ``>=``: it holds within one type, and never for NaN beside a number."""
    downward = compare(0, 1)

    def prepare(bound: Any) -> Callable[[Any], bool]:
        kind, key = type(bound), encode_value(bound)
        everything = Tag.MAX_KEY if downward else Tag.MIN_KEY

        def slowly(value: Any) -> bool:
            own = encode_value(value)
            if own[0] != key[0]:
                return key[0] == everything
            return compare(own, key) and (own == key or NAN not in (own, key))

        if kind in _PLAIN:
            return lambda value: compare(value, bound) if type(value) is kind else slowly(value)
        return slowly

    return prepare


_VALUE_TESTS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "eq": _equality,
    "in": _membership,
    "lt": _ordering(operator.lt),
    "le": _ordering(operator.le),
    "gt": _ordering(operator.gt),
    "ge": _ordering(operator.ge),
    "starts": _beginning,
}
