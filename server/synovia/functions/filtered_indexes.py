"""Search, vector and aggregate indexes of a table: the one of a name; and the values of the fields by which one begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from synovia.errors import UnknownIndex
from synovia.functions.visibility import TableView
from synovia.schema import AggregateSpec, SearchSpec, Table, VectorSpec, field_of

Spec = TypeVar("Spec", SearchSpec, VectorSpec, AggregateSpec)


def declared_index(table: type[Table], declared: Iterable[Spec], kind: str, name: str) -> Spec:
    """Find an index among those of one kind.

    Raises:
        UnknownIndex: The table has none of that name.
    """
    by_name = {each.name: each for each in declared}
    if name not in by_name:
        raise UnknownIndex(f"{table.spec.name} has no {kind} index {name!r}; there is {', '.join(by_name) or 'none'}")
    return by_name[name]


def filters_of(table: type[Table], spec: SearchSpec | VectorSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the values of filters to the types of their fields.

    Raises:
        UnknownIndex: The index has no such filter.
        InvalidArguments: A field cannot have that value.
    """
    check_filters(table, spec, given)
    values = {name.replace("__", "."): value for name, value in given.items()}
    return {name: field_of(table, name).equal(value) for name, value in values.items()}


def check_filters(table: type[Table], spec: SearchSpec | VectorSpec, given: Iterable[str]) -> None:
    """Check that an index filters by some fields.

    Raises:
        UnknownIndex: It does not.
    """
    if unknown := sorted({name.replace("__", ".") for name in given} - {*spec.filters}):
        raise UnknownIndex(
            f"{table.spec.name}.{spec.name} does not filter by {', '.join(unknown)}: say .where(field(...) == ...)"
        )


async def values_of_filters(
    view: TableView, table: type[Table], spec: SearchSpec | VectorSpec, given: Mapping[str, Any], example: str
) -> list[Any] | None:
    """Give the value of each filter, in their order: the one that is given, or the only one that the rules let through.

    Args:
        example: A call that gives a filter, with ``NAME`` for its name.

    Returns:
        None: by the rules nothing is there.

    Raises:
        UnknownIndex: A filter has no value, neither here nor by the rules.
    """
    known = await view.known_values() if any(name not in given for name in spec.filters) else {}
    if known is None:
        return None
    values = []
    for name, database in zip(spec.filters, spec.index.fields, strict=False):  # an index goes on behind its filters
        if name not in given and database not in known:
            called = example.replace("NAME", name)
            raise UnknownIndex(f"{table.spec.name}.{spec.name} needs a value of {name}: {called}")
        values.append(given[name] if name in given else known[database])
    return values
