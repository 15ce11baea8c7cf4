"""``synovia import`` and ``restore``: a file into a database; it is one of Synovia, or what Convex has exported."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from synovia.cli.application import load, with_development_keys
from synovia.cli.importing_convex import import_export, left_out, remarks
from synovia.cli.operations import ask_hub
from synovia.cli.options import JsonOption, StoreOption, store_of
from synovia.cli.progress import shown
from synovia.cli.reporting import FAILED, fail, out, run_to_end, say, settings_of
from synovia.config import Settings
from synovia.convex_export import Checked
from synovia.export.archive import Archive
from synovia.export.checking import check as check_archive
from synovia.export.errors import ExportError, ImportRefused
from synovia.export.importing import ELSEWHERE, ImportResult, differences, import_archive
from synovia.export.inserting import Imported
from synovia.export.manifest import Manifest
from synovia.export.plain import FORMATS
from synovia.export.table_importing import import_table
from synovia.export.writing import IMPORTS
from synovia.functions.encryption import checked_keyring
from synovia.functions.registry import Registry
from synovia.schema import TableSpec
from synovia.sealing.keyring import BadKeys
from synovia.store import open_store

ApplicationArgument = Annotated[
    Path | None, typer.Argument(metavar="[PATH]", help="The application, whose tables the documents have to fit.")
]
SkipOption = Annotated[
    list[str] | None, typer.Option("--skip", help="A table to leave out (of Convex: or _storage); again for more.")
]
CheckOption = Annotated[bool, typer.Option("--check", "--dry-run", help="Read all of it, and write nothing.")]

_RESTORE_ELSEWHERE: Final = (
    "restore into an empty one, by another --store, and let the hubs use that; or stop the hubs and empty this one first: "
    "synovia reset"
)


def import_data(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `synovia export` or `npx convex export` wrote.")],
    path: ApplicationArgument = None,
    store: StoreOption = None,
    skip: SkipOption = None,
    check: CheckOption = False,
    table: Annotated[
        str | None, typer.Option("--table", help="The file is CSV or JSON lines, for this table of the application.")
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help=f"Of that file: {', '.join(FORMATS)}.")] = None,
    into_existing: Annotated[
        bool, typer.Option("--into-existing", help="Also into a database that holds documents; these stay as they are.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import an export. It is checked as a whole before anything is written; killed and run again, it goes on.

    Exits with 1 if something is not imported that --skip does not name.
    """
    settings = settings_of()
    registry = None if path is None else load(path)
    where = None if check else store_of(store, settings, path)
    if table is not None:
        _import_table(file, registry, where, settings, table, format_, as_json)
        return
    if format_ is not None:
        raise typer.BadParameter("--format is of one table: say --table, too")
    if zipfile.is_zipfile(file):
        _import_convex(file, registry, where, settings, skip or [], as_json)
        return
    manifest, done, _ = run_to_end(_import(file, registry, where, settings, skip or [], into_existing, verify=False))
    _tell(manifest, done, as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `synovia backup` wrote.")],
    path: ApplicationArgument = None,
    store: StoreOption = None,
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a backup into an empty database, and compare what is there then with the file, by counts and digests."""
    settings = settings_of()
    registry = None if path is None else load(path)
    where = None if check else store_of(store, settings, path)
    manifest, done, wrong = run_to_end(_import(file, registry, where, settings, [], False, verify=True))
    _tell(manifest, done, as_json)
    if wrong:
        fail("\n".join(["the database is not what the file says:", *wrong]), FAILED)
    if done is not None and not as_json:
        say("compared: every document and array is there as in the file")


async def _import(
    file: Path,
    registry: Registry | None,
    where: str | None,
    settings: Settings,
    skip: list[str],
    into_existing: bool,
    *,
    verify: bool,
) -> tuple[Manifest, ImportResult | None, list[str]]:
    with Archive(file) as archive:
        manifest = archive.manifest
        if manifest.kind == "backup" and not verify:
            raise ImportRefused(
                f"{file.name} is a backup: it has the keys, sessions and calls to come of an installation. Of your own,"
                " `synovia restore` brings all of that back; others send an export"
            )
        documents = sum(each.documents for each in manifest.tables.values())
        with shown(f"checking {file.name}", documents, manifest.arrays.bytes) as told:
            check_archive(archive, None if registry is None else registry.models, skip, told)
        if where is None:
            return manifest, None, []
        store = open_store(where, request_ttl=settings.request_ttl)
        declared = {table.name: table for table in registry.tables} if registry is not None else {}
        bare = {name: TableSpec(name) for name in manifest.tables if name not in skip}
        await store.open([*{**bare, **declared, IMPORTS.name: IMPORTS}.values()])
        try:
            with shown(f"importing {file.name}", documents, manifest.arrays.bytes) as told:
                done = await import_archive(
                    archive,
                    store,
                    skip=skip,
                    into_existing=into_existing,
                    told=told,
                    where_else=_RESTORE_ELSEWHERE if verify else ELSEWHERE,
                )
            if not verify:
                return manifest, done, []
            with shown("comparing", documents, manifest.arrays.bytes) as told:
                return manifest, done, await differences(store, manifest, told)
        finally:
            await store.close()


def _tell(manifest: Manifest, done: ImportResult | None, as_json: bool) -> None:
    if as_json:
        found: dict[str, Any] = {"manifest": manifest.model_dump(by_alias=True)}
        out.print_json(json.dumps(found if done is None else {**found, "imported": asdict(done)}))
    elif done is None:
        for name, table in manifest.tables.items():
            say(f"{name}: {table.documents:,} can be imported")
        say(f"arrays: {manifest.arrays.count:,} can be imported")
    else:
        if done.resumed:
            say("going on with an import that had not ended")
        for each in done.tables:
            say(line_of(each))
        there = f", {done.arrays_there:,} were there already" if done.arrays_there else ""
        say(f"arrays: {done.arrays:,} imported{there}")


def _import_table(
    file: Path,
    registry: Registry | None,
    where: str | None,
    settings: Settings,
    table: str,
    format_: str | None,
    as_json: bool,
) -> None:
    if registry is None:
        raise typer.BadParameter("say PATH: the application declares what types the table's fields have")
    chosen = format_ or file.suffix.removeprefix(".").lower()
    if chosen not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}")
    given = {"file": str(file.absolute()), "table": table, "format": chosen}
    found = run_to_end(_into_table(registry, where, settings, given))
    if as_json:
        out.print_json(json.dumps({**found, "dryRun": where is None}))
    elif where is None:
        say(f"{table}: {found['rows']:,} can be imported")
    else:
        say(line_of(Imported(table, found["imported"], found["there"], found["changed"])))


async def _into_table(
    registry: Registry, where: str | None, settings: Settings, given: dict[str, Any]
) -> dict[str, Any]:
    try:
        settings = with_development_keys(registry, where or "", settings)
        keyring = checked_keyring(registry.models, settings.encryption.keyring())
    except BadKeys as error:
        raise ExportError(str(error)) from None
    with shown(f"importing {given['table']}") as told:
        if where is None:
            return await import_table(None, registry, given, told, keyring)
        answered, found = await ask_hub(where, "import table", given, told)
        if answered:
            return dict(found)
        store = open_store(where, request_ttl=settings.request_ttl)
        await store.open(registry.tables)
        try:
            return await import_table(store, registry, given, told, keyring)
        finally:
            await store.close()


def _import_convex(
    file: Path, registry: Registry | None, where: str | None, settings: Settings, skip: list[str], as_json: bool
) -> None:
    ttl, done = settings.request_ttl, list[Imported]()
    checked = run_to_end(import_export(file, registry, where, ttl, skip, done.append))
    left = [*left_out(checked, skip)]
    if as_json:
        told = {
            "imported": [asdict(each) for each in done],
            "tables": checked.tables,
            "leftOut": [text for text, _ in left],
        }
        out.print_json(json.dumps({**told, "notes": [*remarks(checked)]}))
    else:
        _tell_convex(checked, done, [text for text, _ in left], written=where is not None)
    if not all(wanted for _, wanted in left):
        raise typer.Exit(FAILED)


def _tell_convex(checked: Checked, done: Sequence[Imported], left: Sequence[str], *, written: bool) -> None:
    for each in done:
        say(line_of(each))
    if not written:
        for table, count in checked.tables.items():
            say(f"{table}: {count:,} can be imported")
    for remark in remarks(checked):
        say(f"note: {remark}")
    for text in left:
        say(f"not imported: {text}")


def line_of(done: Imported) -> str:
    """Say what became of a table."""
    text = f"{done.table}: {done.made:,} imported"
    if done.there:
        text += f", {done.there:,} were there already"
    if done.changed:
        text += f" ({done.changed:,} of these have changed since, and stay as they are)"
    return text
