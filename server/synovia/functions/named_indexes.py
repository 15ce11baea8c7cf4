"""Which index a step of a query goes along, and whether its conditions fit that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from synovia.errors import UnknownIndex
from synovia.functions.filtered_indexes import check_filters, declared_index
from synovia.keys import BY_ID, IndexSpec
from synovia.schema import CREATION_TIME, Table
from synovia.schema.faults import meant
from synovia.schema.index_fields import index_path


def index_of(table: type[Table], name: str, conditions: Iterable[str]) -> IndexSpec:
    """Find the index that ``using(name, ...)`` chooses with conditions on these fields.

    Raises:
        UnknownIndex: The table has no such index, or these are not its leading fields in order.
    """
    return _index_of(table, name, tuple(conditions))


@lru_cache(maxsize=1024)
def _index_of(table: type[Table], name: str, conditions: Sequence[str]) -> IndexSpec:
    if any(each.name == name for each in table.spec.vectors):
        raise UnknownIndex(f"{table.spec.name}.{name} is a vector index: nearest({name!r}, vector)")
    spec = next((each for each in (BY_ID, *table.spec.indexes) if each.name == name), None)
    if spec is None:
        raise UnknownIndex(f"{table.spec.name} has no index {name!r}{meant(name, _names_of(table))}")
    if any(spec in (each.index, each.lacking) for each in table.spec.searches):
        raise UnknownIndex(f"{table.spec.name}.{name} is a search index: search({name!r}, text)")
    check_leading(table, spec, name, conditions)
    return spec


def _names_of(table: type[Table]) -> list[str]:
    internal = [one for each in table.spec.searches for one in (each.index, each.lacking)]
    return [each.name for each in table.spec.indexes if each not in internal]


def check_step(table: type[Table], step: str, name: str, conditions: Sequence[str]) -> None:
    """Check the index and the fields that ``using``, ``search``, ``nearest`` or ``aggregate`` names.

    Raises:
        UnknownIndex: The table has no such index, or that is not over these fields.
    """
    match step:
        case "search":
            check_filters(table, declared_index(table, table.spec.searches, "search", name), conditions)
        case "nearest":
            check_filters(table, declared_index(table, table.spec.vectors, "vector", name), conditions)
        case "aggregate":
            check_leading(
                table, declared_index(table, table.spec.aggregates, "aggregate", name).index, name, conditions
            )
        case _:
            index_of(table, name, conditions)


def check_leading(table: type[Table], spec: IndexSpec, name: str, conditions: Iterable[str]) -> None:
    """Check that conditions are on the leading fields of an index, in order.

    Raises:
        UnknownIndex: They are not.
    """
    fields, given = spec.fields or ("_id",), [index_path(table, dotted(each)) for each in conditions]
    if given != list(fields[: len(given)]):
        raise UnknownIndex(
            f"{table.spec.name}.{name} is over {', '.join(fields)}: name them in this order, from the first"
        )


@lru_cache(maxsize=1024)
def by_creation(table: type[Table]) -> IndexSpec:
    """Give the index that a query goes along which names none."""
    return next((each for each in table.spec.indexes if each.fields == (CREATION_TIME,)), BY_ID)


def dotted(condition: str) -> str:
    """Give the path of a field that a condition names, as ``address__city``."""
    return condition.replace("__", ".")
