"""Conditions on fields: one small tree that MongoDB evaluates as a filter and SQLite evaluates here.

Both give the same answer, that of MongoDB's query language: a comparison holds only between values of one type, a missing
field equals None, and a condition on an array field holds when it holds for one of the elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field operator value``; the field is a database name, dots reach into maps and arrays of maps."""

    field: str
    operator: Operator
    value: Any


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
