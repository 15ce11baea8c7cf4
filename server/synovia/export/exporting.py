"""What an operator asks for: an export as a file, beside or within the hub that has the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from synovia.export.errors import ExportError
from synovia.export.files import whole_file
from synovia.export.plain import write_table
from synovia.export.writing import Told, export_store
from synovia.store.base import Store


async def export_to_file(store: Store, given: Mapping[str, Any], told: Told = lambda _: None) -> dict[str, Any]:
    """Write an export, and give its manifest.

    Args:
        given: ``file``, ``kind``, and ``force``: whether to write over a file.

    Raises:
        ExportError: The database is empty, or the file cannot be written.
        StoreError: The database failed on the way.
    """
    if not any(not name.startswith("_") for name in await store.tables()):
        raise ExportError("the database holds no table of an application; is it the right one?")
    with whole_file(Path(given["file"]), replace=given["force"]) as file:
        manifest = await export_store(store, file, kind=given["kind"], told=told)
    return manifest.model_dump(by_alias=True)


async def table_to_file(store: Store, given: Mapping[str, Any], told: Told = lambda _: None) -> dict[str, Any]:
    """Write one table, and tell how many documents it has.

    Args:
        given: ``file``, ``table``, ``format``, and ``force``.

    Raises:
        ExportError: There is no such table, or the file cannot be written.
        StoreError: The database failed on the way.
    """
    table: str = given["table"]
    if table not in await store.tables():
        raise ExportError(f"there is no table {table!r} in this database")
    ts, _ = await store.newest()
    with whole_file(Path(given["file"]), replace=given["force"]) as file:
        return {"documents": await write_table(store.snapshot(ts), table, file, given["format"], told)}


EXPORTS: dict[str, Callable[[Store, Mapping[str, Any], Told], Awaitable[dict[str, Any]]]] = {
    "export": export_to_file,
    "export table": table_to_file,
}
