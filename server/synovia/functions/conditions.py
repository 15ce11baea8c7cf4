"""Conditions on fields, as queries write them, and as the database evaluates them: on documents that may lack fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from synovia.errors import UnknownIndex
from synovia.schema import FieldPath, Table, field_of
from synovia.sealing.keyring import Keyring
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not, Operator, matches


@dataclass(frozen=True, slots=True)
class Range:
    """A condition on the field after an index's equalities; each bound with whether it is itself inside."""

    low: tuple[Any, bool] | None = None
    high: tuple[Any, bool] | None = None


def gt(value: Any) -> Range:
    """Greater than ``value``, among values of its type."""
    return Range(low=(value, False))


def ge(value: Any) -> Range:
    """Greater than or equal to ``value``, among values of its type."""
    return Range(low=(value, True))


def lt(value: Any) -> Range:
    """Less than ``value``, among values of its type."""
    return Range(high=(value, False))


def le(value: Any) -> Range:
    """Less than or equal to ``value``, among values of its type."""
    return Range(high=(value, True))


def between(low: Any, high: Any) -> Range:
    """From ``low`` up to, but not including, ``high``."""
    return Range((low, True), (high, False))


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on fields for ``where``; combine with ``&``, ``|`` and ``~``."""

    tree: Filter

    def __and__(self, other: Condition) -> Condition:
        parts = self.tree.conditions if isinstance(self.tree, AllOf) else (self.tree,)
        return Condition(AllOf((*parts, tree_of(other, "&"))))

    def __or__(self, other: Condition) -> Condition:
        parts = self.tree.conditions if isinstance(self.tree, AnyOf) else (self.tree,)
        return Condition(AnyOf((*parts, tree_of(other, "|"))))

    def __invert__(self) -> Condition:
        return Condition(self.tree.condition if isinstance(self.tree, Not) else Not(self.tree))

    def __bool__(self) -> bool:
        raise TypeError("combine conditions with & | ~, not with and, or, not")


def tree_of(condition: Any, of: str) -> Filter:
    """Give the tree of a condition.

    Raises:
        TypeError: It is none.
    """
    if isinstance(condition, Condition):
        return condition.tree
    raise TypeError(f"{of} takes a condition on fields, as field('text') == 'x', not {condition!r:.80}")


class field:
    """A field of a document in a condition: ``field("sample_rate") >= 100``; dots reach into embedded models."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self._name = name

    def _compare(self, operator: Operator, value: Any) -> Condition:
        return Condition(Comparison(self._name, operator, value))

    def __eq__(self, value: Any) -> Condition:  # type: ignore[override]
        return self._compare("eq", value)

    def __ne__(self, value: Any) -> Condition:  # type: ignore[override]
        return self._compare("ne", value)

    def __lt__(self, value: Any) -> Condition:
        return self._compare("lt", value)

    def __le__(self, value: Any) -> Condition:
        return self._compare("le", value)

    def __gt__(self, value: Any) -> Condition:
        return self._compare("gt", value)

    def __ge__(self, value: Any) -> Condition:
        return self._compare("ge", value)

    def _in_brackets(self, other: Any) -> Any:
        raise TypeError("put each comparison in brackets: (field('a') == 1) & (field('b') == 2)")

    __and__ = __rand__ = __or__ = __ror__ = _in_brackets

    def in_(self, values: Iterable[Any]) -> Condition:
        """Hold for any of ``values``."""
        return self._compare("in", tuple(values))


# --- for the database -------------------------------------------------------------------------------------------------


def resolved(table: type[Table], tree: Filter, keyring: Keyring | None = None) -> Filter:
    """Turn Python names and values of a condition into the database's.

    Args:
        keyring: Makes the tokens of values of encrypted fields.

    Raises:
        UnknownIndex: The table has no such field.
        InvalidArguments: A field cannot have the value that it is compared with.
    """
    match tree:
        case Comparison(name, operator, value):
            return _comparison(field_of(table, name), operator, value, keyring)
        case AllOf(conditions):
            return AllOf(tuple(resolved(table, condition, keyring) for condition in conditions))
        case AnyOf(conditions):
            return AnyOf(tuple(resolved(table, condition, keyring) for condition in conditions))
        case Not(condition):
            return Not(resolved(table, condition, keyring))


def compared(tree: Filter) -> Iterator[tuple[str, Operator, Any]]:
    """List what a condition compares: the Python names of fields, how, and with what."""
    match tree:
        case Comparison(name, operator, value):
            yield name, operator, value
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from compared(each)
        case Not(condition):
            yield from compared(condition)


def _comparison(field: FieldPath, operator: Operator, value: Any, keyring: Keyring | None) -> Filter:
    match operator:
        case "ne":
            equal = _on_what_counts(field, "eq", field.equal(value, keyring))
            return Comparison(equal.field, "ne", equal.value) if isinstance(equal, Comparison) else Not(equal)
        case "eq":
            return _on_what_counts(field, "eq", field.equal(value, keyring))
        case "in":
            return _on_what_counts(field, "in", tuple(field.equal(each, keyring) for each in value))
        case _:
            return _on_what_counts(field, operator, field.ordered(value))


def _on_what_counts(field: FieldPath, operator: Operator, value: Any) -> Filter:
    """Compare with what a row shows: of a document that lacks the field, with the field's default.

    A document can lack it at each step of the way to it, and what counts then is the default of that step.
    """
    plain = Comparison(field.database, operator, value)
    if all(level.default is None for level in field.levels):
        return plain
    counts = [_holds_of_default(field, place, operator, value) for place in range(len(field.levels))]
    if any(level.in_array for level in field.levels[:-1]) and len(set(counts)) > 1:
        raise UnknownIndex(f"{field.table}.{field.name} has several defaults on its way; compare it in Python")
    there = _without_none(plain)
    lacking = [_lacks(field, place) for place, holds in enumerate(counts) if holds]
    if all(counts):
        lacking = [Comparison(field.database, "eq", None)]
    parts = (*([there] if there is not None else []), *lacking)
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _holds_of_default(field: FieldPath, place: int, operator: Operator, value: Any) -> bool:
    level = field.levels[place]
    rest = field.database[len(level.name) :]
    return matches(Comparison(f"x{rest}", operator, value), {} if level.default is None else {"x": level.default})


def _without_none(comparison: Comparison) -> Comparison | None:
    """Give the comparison with values that are there; None: it is with no such value."""
    if comparison.operator == "in":
        values = tuple(value for value in comparison.value if value is not None)
        return Comparison(comparison.field, "in", values) if values else None
    return None if comparison.value is None else comparison


def _lacks(field: FieldPath, place: int) -> Filter:
    """Give the condition that a document lacks the field from this step of the way on."""
    lacks = Comparison(field.levels[place].name, "eq", None)
    if place == 0:
        return lacks
    return AllOf((lacks, Comparison(field.levels[place - 1].name, "ne", None)))
