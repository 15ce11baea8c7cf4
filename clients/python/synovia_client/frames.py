"""Results as data frames of pandas or polars, exactly: no integer becomes a float, no value another one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars

Columns = dict[str, list[Any]]


def to_pandas(result: Any, *, index: str | None = None) -> pandas.DataFrame:
    """Give a result as a data frame: a row for each item of a list, a column for each field.

    Fields that some items lack are missing values there; integers and booleans among which some are missing get the types
    ``Int64`` and ``boolean`` of pandas, which have such. Maps, lists and references to arrays stay objects.

    Args:
        result: A list of maps, or of single values (which are the column ``value``); a map is one row, a page its items.
        index: A field that becomes the index, as ``_id``.

    Raises:
        ModuleNotFoundError: pandas is not installed.
        TypeError: The result is a single value.
    """
    library = _library("pandas")
    columns = columns_of(result)
    rows = _length(columns, result)
    series = {name: library.Series(values, dtype=_pandas_type(values)) for name, values in columns.items()}
    frame: pandas.DataFrame = library.DataFrame(series, index=library.RangeIndex(rows), columns=list(columns))
    return frame if index is None else frame.set_index(index)


def to_polars(result: Any) -> polars.DataFrame:
    """Give a result as a data frame of polars; see ``to_pandas``.

    Raises:
        ModuleNotFoundError: polars is not installed.
        TypeError: The result is a single value.
    """
    library = _library("polars")
    series = [_polars_series(library, name, values) for name, values in columns_of(result).items()]
    frame: polars.DataFrame = library.DataFrame(series)
    return frame


def columns_of(result: Any) -> Columns:
    """Give the columns of a result, in the order in which they first occur; None where an item has no such field.

    Raises:
        TypeError: The result is a single value.
    """
    items = items_of(result)
    if not all(isinstance(item, Mapping) for item in items):
        return {"value": list(items)}
    names = dict.fromkeys(name for item in items for name in item)
    return {name: [item.get(name) for item in items] for name in names}


def items_of(result: Any) -> Sequence[Any]:
    """Give the items of a result: of a list, of a page, or the one that a map is.

    Raises:
        TypeError: The result is a single value.
    """
    if result is None:
        return []
    if isinstance(result, Mapping):
        items = result.get("items")
        return items if isinstance(items, (list, tuple)) and "nextCursor" in result else [result]
    if isinstance(result, (list, tuple)):
        return result
    raise TypeError(f"a result of the type {type(result).__name__} has no rows")


def _length(columns: Columns, result: Any) -> int:
    return len(next(iter(columns.values()))) if columns else len(items_of(result))


def _pandas_type(values: list[Any]) -> str | None:
    kinds = {type(value) for value in values}
    if kinds == {int, type(None)}:
        return "Int64"
    if kinds == {bool, type(None)}:
        return "boolean"
    if kinds <= {float, type(None)} and float in kinds:
        return "float64"
    return None if len(kinds) == 1 and not kinds & {dict, list, tuple, bytes} else "object" if values else None


def _polars_series(polars: Any, name: str, values: list[Any]) -> Any:
    try:
        return polars.Series(name, values, strict=True)
    except (TypeError, ValueError, OverflowError, polars.exceptions.PolarsError):
        return polars.Series(name, values, dtype=polars.Object)  # what its own types cannot hold


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ModuleNotFoundError(f"to_{name} needs {name}: pip install 'synovia-client[{name}]'", name=name) from None
