"""``synovia export`` and ``backup``: a database at one instant into a file, beside hubs that go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synovia.cli.operations import ask_hub
from synovia.cli.options import JsonOption, StoreOption, store_of
from synovia.cli.progress import shown
from synovia.cli.reporting import FAILED, counted, err, out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.export.exporting import EXPORTS
from synovia.export.plain import FORMATS
from synovia.store import open_store

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]
ApplicationArgument = Annotated[
    Path | None, typer.Argument(metavar="[PATH]", help="An application, for its embedded store of development.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def export_data(
    file: FileArgument,
    path: ApplicationArgument = None,
    store: StoreOption = None,
    table: Annotated[str | None, typer.Option("--table", help="One table only, for other programs.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"Of that table: {', '.join(FORMATS)} (plain JSON lines, or CSV).")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export all documents and arrays as of one instant; hubs go on meanwhile. Without sessions, keys and calls to come."""
    if table is None:
        if format_ is not None:
            raise typer.BadParameter("--format is of one table: say --table, too")
        if _format_of(file) in FORMATS:
            raise typer.BadParameter(f"{file.name} is the name of one table's file: say --table, or call it otherwise")
        _export(file, path, store, "export", force, as_json)
        return
    chosen = format_ or _format_of(file)
    if chosen not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}")
    found = _ask(path, store, "export table", {"file": file, "table": table, "format": chosen, "force": force})
    out.print_json(json.dumps(found)) if as_json else say(f"{table}: {counted(found['documents'])} in {file}")


def _format_of(file: Path) -> str:
    return file.suffix.removeprefix(".").lower()


def back_up(
    file: FileArgument,
    path: ApplicationArgument = None,
    store: StoreOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export everything as of one instant, also sessions, keys and calls to come: what `restore` brings back."""
    _export(file, path, store, "backup", force, as_json)


def _export(
    file: Path, path: Path | None, store: str | None, kind: Literal["export", "backup"], force: bool, as_json: bool
) -> None:
    found = _ask(path, store, "export", {"file": file, "kind": kind, "force": force})
    if as_json:
        out.print_json(json.dumps(found))
    else:
        _tell(found, file)
    lost = sum(each["unreadable"] for each in found["tables"].values()), found["arrays"]["missing"]
    if any(lost):
        err.print(
            f"not in it: {lost[0]:,} documents that cannot be decoded, {lost[1]:,} arrays that documents refer to and the"
            " database has not",
            highlight=False,
        )
        raise typer.Exit(FAILED)


def _tell(found: Mapping[str, Any], file: Path) -> None:
    for name, table in found["tables"].items():
        if table["documents"]:
            say(f"{name}: {counted(table['documents'])}")
    arrays = found["arrays"]
    say(f"arrays: {arrays['count']:,}, {arrays['bytes']:,} bytes")
    say(f"{file}: {file.stat().st_size:,} bytes")


def _ask(path: Path | None, store: str | None, operation: str, given: Mapping[str, Any]) -> Any:
    settings = settings_of()
    where = store_of(store, settings, path)
    file: Path = given["file"]
    asked = {**given, "file": str(file.absolute())}

    async def work() -> Any:
        with shown(f"writing {file.name}") as told:
            answered, result = await ask_hub(where, operation, asked, told)
        if answered:
            return result
        check_there(where)
        opened = open_store(where, request_ttl=settings.request_ttl)
        await opened.open([])
        try:
            with shown(f"writing {file.name}") as told:
                return await EXPORTS[operation](opened, asked, told)
        finally:
            await opened.close()

    return run_to_end(work())
