"""What a query has read, in words: ``notes by by_board: board = 'a'``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from bson import ObjectId

from synovia import keys
from synovia.keys.tuples import AFTER
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not
from synovia.transaction.readset import RangeRead

_SIGNS: Final = {
    "eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥", "in": "in", "starts": "begins with",
}  # fmt: skip
_MOST: Final = 60


def words_of(read: RangeRead) -> str:
    """Say what an interval of an index holds."""
    parts = list(_bounds(read)) or ["everything"]
    where = "" if read.where is None else f", where {condition_words(read.where)}"
    return f"{read.table} by {read.index.name}: {', '.join(parts)}{where}"


def _bounds(read: RangeRead) -> Iterator[str]:
    try:
        low, low_tail = keys.tuples.decode_bound(read.interval.low)
        high, high_tail = keys.tuples.decode_bound(read.interval.high)
    except ValueError:
        yield "a part"
        return
    if read.interval.low >= read.interval.high:
        yield "nothing"
        return
    fields = [*read.index.fields, "_id"]
    same = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    if low == high and high_tail != AFTER:
        same = max(0, same - 1)
    for field, value in zip(fields, low[:same], strict=False):
        yield f"{field} = {_value(value)}"
    yield from _side(fields, same, low, ">" if low_tail == AFTER else "≥")
    yield from _side(fields, same, high, "≤" if high_tail == AFTER else "<")


def _side(fields: list[str], at: int, values: tuple[Any, ...], sign: str) -> Iterator[str]:
    rest = values[at:]
    if len(rest) == 1:
        yield f"{fields[at]} {sign} {_value(rest[0])}"
    elif rest:
        names = ", ".join(fields[at : at + len(rest)])
        yield f"({names}) {sign} ({', '.join(map(_value, rest))})"


def condition_words(tree: Filter) -> str:
    """Say what a document has to satisfy."""
    match tree:
        case Comparison(field, operator, value):
            return f"{field} {_SIGNS[operator]} {_value(value)}"
        case AllOf(conditions):
            return " and ".join(f"({condition_words(each)})" for each in conditions)
        case AnyOf(conditions):
            return " or ".join(f"({condition_words(each)})" for each in conditions)
        case Not(condition):
            return f"not ({condition_words(condition)})"


def _value(value: Any) -> str:
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
