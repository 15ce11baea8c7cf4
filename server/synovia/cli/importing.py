"""``synovia import``: the documents of an export of Convex, into the store of an application."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from synovia.cli.application import development_store, load
from synovia.cli.options import StoreOption, without_secret
from synovia.cli.reporting import FAILED, run_to_end, say, settings_of
from synovia.convex_export import Archive, Checked, Imported, check, import_tables
from synovia.functions.registry import Registry
from synovia.schema import TableSpec
from synovia.store import open_store

FILES = "_storage"
"""The name by which ``--skip`` leaves out stored files."""


def import_convex(
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="The zip file that `npx convex export` wrote.")],
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="The application, whose tables the documents have to fit.")
    ] = None,
    store: StoreOption = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="A table to leave out, or _storage; again for more.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Read all of it, and write nothing.")] = False,
) -> None:
    """Import the documents of an export of Convex, with their ids; what is there already stays as it is.

    Exits with 1 if something is not imported that --skip does not name.
    """
    settings = settings_of()
    registry = None if path is None else load(path)
    where = without_secret(store) or settings.store or (development_store(path) if path is not None else None)
    if where is None and not check:
        raise typer.BadParameter("say which database: --store, SYNOVIA_STORE, or the PATH of an application")
    told = skip or []
    checked = run_to_end(
        import_export(
            export,
            registry,
            None if check else where,
            settings.request_ttl,
            told,
            lambda done: say(line_of(done)),
        )
    )
    if check:
        for table, count in checked.tables.items():
            say(f"{table}: {count:,} can be imported")
    for remark in remarks(checked):
        say(f"note: {remark}")
    left = [*left_out(checked, told)]
    for text, _ in left:
        say(f"not imported: {text}")
    if not all(wanted for _, wanted in left):
        raise typer.Exit(FAILED)


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


def line_of(done: Imported) -> str:
    """Say what became of a table."""
    text = f"{done.table}: {done.made:,} imported"
    if done.there:
        text += f", {done.there:,} were there already"
    if done.changed:
        text += f" ({done.changed:,} of these have changed since, and stay as they are)"
    return text


def left_out(checked: Checked, skip: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Say what is not imported, and whether that was wanted."""
    for table, count in checked.skipped.items():
        yield f"table {table}: {_documents(count)} (--skip)", True
    for table, count in checked.undeclared.items():
        yield f"table {table}: {_documents(count)}; the application declares no such table", False
    for name, count in checked.system.items():
        yield f"{name}: {_documents(count)}, of Convex itself or of a component", name in skip
    if checked.files.count:
        files = checked.files
        counted = f"{files.count:,} file{'' if files.count == 1 else 's'}"
        yield f"{FILES}: {counted}, {files.bytes:,} bytes; Synovia keeps no files yet", FILES in skip


def remarks(checked: Checked) -> Iterator[str]:
    """Say what should be looked at though it is imported."""
    for table, names in checked.unseen.items():
        yield f"{table}: stored, but the table does not declare {', '.join(names)}"
    for table in checked.unordered:
        yield (
            f'{table}: ids of Convex are in no order; Index("by_creation", "creation_time") reads old and new documents in'
            " that of their creation"
        )


def _documents(count: int) -> str:
    return f"{count:,} document{'' if count == 1 else 's'}"
