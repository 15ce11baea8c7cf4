"""Conditions that operators put on the documents of a table, and what they should know of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from synovia import keys
from synovia.dashboard.tables import FieldInfo, FieldKind
from synovia.keys import BY_ID, IndexSpec, Interval
from synovia.schema import CREATION_TIME, Document, Model, id_to_bson
from synovia.store.filters import AllOf, Comparison, Filter, Not, Operator, compiled
from synovia_protocol.spelling import nearest

Comparator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists", "missing"]

_HOLDS: Final[Mapping[FieldKind, tuple[str, tuple[type, ...]]]] = {
    "id": ("ids", (str,)),
    "text": ("texts", (str,)),
    "choice": ("texts", (str,)),
    "number": ("numbers", (int, float)),
    "bool": ("true or false", (bool,)),
    "date": ("times", (datetime,)),
}
_BOUNDS: Final = ("eq", "lt", "le", "gt", "ge")
_ORDERS: Final[Mapping[Comparator, Operator]] = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}


class Condition(Model):
    """A condition on a field, by its name in the database; the value is as it is in JSON, a time as ISO 8601."""

    field: str
    test: Comparator
    value: Any = None


class Conditions:
    """What the documents of a page have to satisfy.

    Args:
        given: The conditions.
        fields: Those that the table declares; None: it is not declared.

    Attributes:
        notes: What is odd about them, in words.
    """

    def __init__(self, given: Iterable[Condition], table: str, fields: Sequence[FieldInfo] | None) -> None:
        known = None if fields is None else {each.name: each for each in fields}
        self._known = known or {}
        self._given = [_with_time(each, self._known) for each in given]
        self.notes: list[str] = [] if known is None else [x for each in self._given for x in _notes(each, table, known)]
        self._texts = [(each.field, str(each.value).casefold()) for each in self._given if each.test == "contains"]
        parts = tuple(_filter(each) for each in self._given if each.test != "contains")
        self._test = compiled(AllOf(parts)) if parts else None

    def hold(self, document: Document) -> bool:
        """Tell whether a document satisfies them all."""
        return (self._test is None or self._test(document)) and all(
            text in str(document.get(name, "") if name else document).casefold() for name, text in self._texts
        )

    def best(self, indexes: Sequence[IndexSpec]) -> IndexSpec:
        """Choose the index by which the fewest documents have to be looked at; by id if none is better."""
        return max([BY_ID, *indexes], key=lambda index: self._worth(_first(index)))

    def _worth(self, field: str) -> int:
        tests = {each.test for each in self._bounds(field)}
        return 2 if "eq" in tests else 1 if tests else 0

    def interval(self, index: IndexSpec) -> Interval:
        """Give the part of an index in which all lie that satisfy the conditions on its first field."""
        whole = keys.between(())
        for each in self._bounds(_first(index)):
            value = id_to_bson(each.value) if each.field == "_id" or self._kind(each.field) == "id" else each.value
            part = (
                keys.between((value,)) if each.test == "eq"
                else keys.between((), (value, each.test == "ge")) if each.test in ("gt", "ge")
                else keys.between((), None, (value, each.test == "le"))
            )  # fmt: skip
            whole = Interval(max(whole.low, part.low), min(whole.high, part.high))
        return whole if whole.low < whole.high else keys.EMPTY

    def are_within(self, index: IndexSpec) -> bool:
        """Tell whether the documents in that part, and nearly only they, satisfy them all."""
        return len(self._given) == len(self._bounds(_first(index)))

    def _bounds(self, field: str) -> list[Condition]:
        return [each for each in self._given if each.field == field and each.test in _BOUNDS and self._fits(each)]

    def _kind(self, field: str) -> FieldKind | None:
        return self._known[field].kind if field in self._known else None

    def _fits(self, condition: Condition) -> bool:
        """Tell whether a condition is on one value of the type that is declared."""
        kind = "id" if condition.field == "_id" else self._kind(condition.field)
        return kind is not None and kind in _HOLDS and _is_held(kind, condition.value)


def _is_held(kind: FieldKind, value: Any) -> bool:
    _, types = _HOLDS[kind]
    return isinstance(value, types) and not (isinstance(value, bool) and kind == "number")


def _first(index: IndexSpec) -> str:
    return index.fields[0] if index.fields else "_id"


def _with_time(condition: Condition, known: Mapping[str, FieldInfo]) -> Condition:
    """Read a text as a time where the field holds times."""
    field = known.get(condition.field)
    if field is None or field.kind != "date" or not isinstance(condition.value, str) or condition.test == "contains":
        return condition
    try:
        at = datetime.fromisoformat(condition.value)
    except ValueError:
        return condition
    return condition.model_copy(update={"value": at if at.tzinfo is not None else at.replace(tzinfo=UTC)})


def _notes(condition: Condition, table: str, known: Mapping[str, FieldInfo]) -> Iterator[str]:
    name = condition.field.split(".")[0]
    if name not in known and name not in ("", "_id", CREATION_TIME):
        near = nearest(name, known)
        yield f"{table} declares no field {name!r}{'' if near is None else f'; is {near!r} meant?'}"
    field, value = known.get(condition.field), condition.value
    if field is None or value is None or condition.test in ("contains", "exists", "missing"):
        return
    if field.kind in _HOLDS and not _is_held(field.kind, value):
        yield f"{condition.field} holds {_HOLDS[field.kind][0]}, and {value!r} is none"


def _filter(condition: Condition) -> Filter:
    name, value = condition.field, condition.value
    if condition.test == "exists":
        return Not(Comparison(name, "eq", None))
    if condition.test == "missing":
        return Comparison(name, "eq", None)
    values = [value] if not isinstance(value, str) else list(dict.fromkeys([value, id_to_bson(value)]))
    if condition.test == "eq":
        return Comparison(name, "in", tuple(values))
    if condition.test == "ne":
        return Not(Comparison(name, "in", tuple(values)))
    return Comparison(name, _ORDERS[condition.test], values[-1] if name == "_id" else value)
