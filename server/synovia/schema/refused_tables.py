"""Declarations of tables that could never work, or would lose something, are refused where they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel

from synovia.errors import SchemaError
from synovia.schema.fields import list_on_the_way

_LONGEST_NAME: Final = 100
"""In bytes. MongoDB takes 255, with the name of the database."""
_MOST_FIELDS: Final = 31
"""Of an index. MongoDB takes 32, with the ``_id`` that follows them."""


def check_fields(model: type[BaseModel], own: Iterable[str] = ()) -> None:
    """Refuse fields that would not be kept, and those that take the place of what every row or model has.

    Args:
        own: What every row has, beside what every model has.

    Raises:
        SchemaError: There is such a field.
    """
    own = set(own)
    taken = {*own, *(name for name in model.model_fields if name.startswith("model_") and hasattr(BaseModel, name))}
    for name, info in model.model_fields.items():
        if name in taken and not (name == "id" and info.alias == "_id"):
            what = "table" if name in own else "model"
            raise SchemaError(f"{model.__name__}.{name}: every {what} has it already; name the field otherwise")
    private = sorted(model.__private_attributes__)
    if private:
        raise SchemaError(
            f"{model.__name__}.{private[0]}: names that begin with an underscore are not kept; name the field otherwise"
        )


def check_name(table: str) -> None:
    """Refuse a name that a collection of MongoDB cannot have.

    Raises:
        SchemaError: It is such a name.
    """
    fault = None
    if "$" in table or "\0" in table:
        fault = "it holds a dollar sign or a zero byte"
    elif table.startswith((".", "system.")) or table.endswith("."):
        fault = "it begins with 'system.' or begins or ends with a dot"
    elif len(table.encode()) > _LONGEST_NAME:
        fault = f"it has more than {_LONGEST_NAME} bytes"
    if fault is not None:
        raise SchemaError(f"a table cannot be named {table[:_LONGEST_NAME]!r}: {fault}")


def check_indexes(table: Any, indexes: Sequence[Any], searches: Sequence[Any] = ()) -> None:
    """Refuse indexes of one name or over the same fields, and those that a database cannot have.

    Args:
        searches: Its search indexes.

    Raises:
        SchemaError: There are such.
    """
    _check_names(table, [*indexes, *searches])
    over: dict[tuple[str, ...], str] = {}
    for index in indexes:
        other = over.setdefault(index.fields, index.name)
        if other != index.name:
            raise SchemaError(
                f"{table.__name__}: the indexes {other!r} and {index.name!r} are over the same fields; one will do"
            )
        _check_index(table, index)


def _check_names(table: Any, indexes: Sequence[Any]) -> None:
    names: set[str] = set()
    for index in indexes:
        if index.name in names:
            raise SchemaError(f"{table.__name__}: two indexes are named {index.name!r}")
        names.add(index.name)


def _check_index(table: Any, index: Any) -> None:
    place = f"{table.__name__}: the index {index.name!r}"
    if len(set(index.fields)) < len(index.fields):
        raise SchemaError(f"{place} names a field twice")
    if len(index.fields) > _MOST_FIELDS:
        raise SchemaError(f"{place} has more than {_MOST_FIELDS} fields")
    lists = {found for field in index.fields if (found := list_on_the_way(table, field)) is not None}
    if len(lists) > 1:
        raise SchemaError(f"{place} is over two lists, {' and '.join(sorted(lists))}; an index may be over one")
