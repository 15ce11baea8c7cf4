"""``synovia codegen``: typed clients, from the functions of an application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synovia.cli.application import load
from synovia.cli.options import JsonOption, PathArgument
from synovia.cli.reporting import FAILED, out, say
from synovia.codegen import Changes, CodegenError, generate


def write_clients(
    path: PathArgument,
    ts: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the TypeScript client goes.")] = None,
    py: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the Python client goes: a package.")] = None,
    convex: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the types for npm `convex` go: convex/_generated.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if something would change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write typed clients from an application's functions."""
    if ts is None and py is None and convex is None:
        raise typer.BadParameter("say where to write: --ts DIR, --py DIR or --convex DIR")
    found = generate(load(path), ts=ts, py=py, convex=convex)
    if not check:
        for changes in found:
            _apply(changes)
    told = {str(file): _word(changes, file, check=check) for changes in found for file in _files(changes)}
    if as_json:
        out.print_json(json.dumps(told))
    else:
        for name, word in told.items():
            say(f"{word} {name}")
    if check and any(found):
        raise typer.Exit(FAILED)


def _files(changes: Changes) -> list[Path]:
    return [*changes.written, *changes.removed]


def _word(changes: Changes, file: Path, *, check: bool) -> str:
    return "stale" if check else "removed" if file in changes.removed else "written"


def _apply(changes: Changes) -> None:
    try:
        changes.apply()
    except OSError as error:
        raise CodegenError(f"{error.filename}: {error.strerror}") from error
