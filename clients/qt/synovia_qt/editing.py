"""What an edited cell shows until the mutation behind it has an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synovia_client import OptimisticStore, OptimisticUpdate

Key = Callable[[Any], Any]


def row_replaced(path: str, key: Key, wanted: Any, change: Callable[[Any], Any]) -> OptimisticUpdate:
    """Make an optimistic update that changes one row wherever a query of this path shows it.

    Args:
        key: Gives the key of a row.
        wanted: The key of the row.
        change: Gives the row as it is expected to be.
    """

    def rows_of(rows: list[Any]) -> list[Any]:
        return [change(row) if _has_key(row, key, wanted) else row for row in rows]

    def update(store: OptimisticStore, args: dict[str, Any]) -> None:
        for shown in store.get_all_queries(path):
            value = shown.value
            if isinstance(value, list) and _is_in(value, key, wanted):
                store.set_query(path, shown.args, rows_of(value))
            elif (
                isinstance(value, dict) and isinstance(value.get("items"), list) and _is_in(value["items"], key, wanted)
            ):
                store.set_query(path, shown.args, {**value, "items": rows_of(value["items"])})

    return update


def _is_in(rows: list[Any], key: Key, wanted: Any) -> bool:
    return any(_has_key(row, key, wanted) for row in rows)


def _has_key(row: Any, key: Key, wanted: Any) -> bool:
    try:
        return bool(key(row) == wanted)
    except (KeyError, TypeError, IndexError, AttributeError):
        return False
