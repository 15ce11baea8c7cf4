"""The documents of an export of Convex, into the store of an application."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from synovia.cli.reporting import counted
from synovia.convex_export import Archive, Checked, check, import_tables
from synovia.export.inserting import Imported
from synovia.functions.registry import Registry
from synovia.schema import TableSpec
from synovia.store import open_store

FILES = "_storage"
"""The name by which ``--skip`` leaves out stored files."""


async def import_export(
    path: Path,
    registry: Registry | None,
    store: str | None,
    request_ttl: int,
    skip: Sequence[str],
    told: Callable[[Imported], None],
) -> Checked:
    """Check an export and import it.

    Args:
        registry: The application; None: every table is imported, and nothing is compared with a schema.
        store: The address of the database; None: the export is only checked.
        request_ttl: Seconds for which the hubs keep the records of mutations; opening the database sets it.
        skip: Tables that are left out.
        told: Called when a table is done.

    Raises:
        ExportError: The export cannot be imported; nothing was written, unless the message names a unique index.
        StoreError: The database is not there, does not take it, or another process has the file.
    """
    with Archive(path) as archive:
        checked = check(archive, None if registry is None else registry.models, skip)
        if store is None:
            return checked
        opened = open_store(store, request_ttl=request_ttl)
        await opened.open(registry.tables if registry is not None else [TableSpec(name) for name in checked.tables])
        try:
            await import_tables(archive, opened, [*checked.tables], told)
        finally:
            await opened.close()
    return checked


def left_out(checked: Checked, skip: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Say what is not imported, and whether that was wanted."""
    for table, count in checked.skipped.items():
        yield f"table {table}: {counted(count)} (--skip)", True
    for table, count in checked.undeclared.items():
        yield f"table {table}: {counted(count)}; the application declares no such table", False
    for name, count in checked.system.items():
        yield f"{name}: {counted(count)}, of Convex itself or of a component", name in skip
    if checked.files.count:
        files = checked.files
        yield (
            f"{FILES}: {counted(files.count, 'file')}, {files.bytes:,} bytes; files are not imported",
            FILES in skip,
        )


def remarks(checked: Checked) -> Iterator[str]:
    """Say what should be looked at though it is imported."""
    for table, names in checked.unseen.items():
        yield f"{table}: stored, but the table does not declare {', '.join(names)}"
    for table in checked.unordered:
        yield (
            f'{table}: ids of Convex are in no order; Index("by_creation", "creation_time") reads old and new documents in'
            " that of their creation"
        )
