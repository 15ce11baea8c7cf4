"""Conditions that operators put on the documents of a table, and what they should know of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from synovia.dashboard.tables import FieldInfo, FieldKind
from synovia.schema import CREATION_TIME, Document, Model, id_to_bson
from synovia.store.filters import AllOf, Comparison, Filter, Not, Operator

Comparator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists", "missing"]

_HOLDS: Final[Mapping[FieldKind, tuple[str, tuple[type, ...]]]] = {
    "id": ("ids", (str,)),
    "text": ("texts", (str,)),
    "choice": ("texts", (str,)),
    "number": ("numbers", (int, float)),
    "bool": ("true or false", (bool,)),
    "date": ("times", (datetime,)),
}
_ORDERS: Final[Mapping[Comparator, Operator]] = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}


class Condition(Model):
    """A condition on a field, by its name in the database; the value is as it is in JSON, a time as ISO 8601."""

    field: str
    test: Comparator
    value: Any = None


@dataclass(frozen=True)
class Conditions:
    """What the documents of a page have to satisfy.

    Attributes:
        filter: What the database looks at; None: nothing.
        texts: Which texts, in lower case, have to be in which fields; "": anywhere.
        notes: What is odd about them, in words.
    """

    filter: Filter | None
    texts: Sequence[tuple[str, str]]
    notes: Sequence[str]

    def hold_texts(self, document: Document) -> bool:
        """Tell whether a document has the texts."""
        return all(text in str(document.get(name, "") if name else document).casefold() for name, text in self.texts)


def conditions_of(given: Iterable[Condition], table: str, fields: Sequence[FieldInfo] | None) -> Conditions:
    """Read conditions.

    Args:
        fields: Those that the table declares; None: it is not declared.
    """
    known = None if fields is None else {each.name: each for each in fields}
    read = [each if known is None else _with_time(each, known) for each in given]
    parts = tuple(_filter(each) for each in read if each.test != "contains")
    return Conditions(
        None if not parts else parts[0] if len(parts) == 1 else AllOf(parts),
        [(each.field, str(each.value).casefold()) for each in read if each.test == "contains"],
        [] if known is None else [note for each in read for note in _notes(each, table, known)],
    )


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
        near = difflib.get_close_matches(name, known, 1)
        yield f"{table} declares no field {name!r}{f'; is {near[0]!r} meant?' if near else ''}"
    field, value = known.get(condition.field), condition.value
    if field is None or value is None or condition.test in ("contains", "exists", "missing"):
        return
    holds, types = _HOLDS.get(field.kind, ("", (object,)))
    if not isinstance(value, types) or (isinstance(value, bool) and field.kind == "number"):
        yield f"{condition.field} holds {holds}, and {value!r} is none"


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
