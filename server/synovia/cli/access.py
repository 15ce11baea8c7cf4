"""``synovia access``: who may do what in an application, found by trying."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from synovia.cli.application import check_path, load
from synovia.cli.options import JsonOption, PathArgument
from synovia.cli.reporting import out, run_to_end


def access(
    path: PathArgument,
    callers: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="NAME=EMAIL[?CLAIMS]", help="Who calls, as admin=ada@example.org?org=north."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try, on a store in memory with the application's seeds, which functions and rows are whose; print it as Markdown."""
    from synovia.testing.access import access_matrix  # no other command needs what tests do

    named = [each.partition("=") for each in callers or []]
    if wrong := ["".join(each) for each in named if not each[0] or not each[2]]:
        raise typer.BadParameter(f"{wrong[0]!r}: --as takes NAME=EMAIL, with claims as ?org=acme&level:=3")
    check_path(path)
    people: dict[str, str | None] = {"nobody": None, **{name: who for name, _, who in named}}
    matrix = run_to_end(access_matrix(load(path), people))
    if as_json:
        out.print_json(json.dumps(matrix.as_data()))
        return
    out.print(str(matrix), markup=False, highlight=False, soft_wrap=True, end="")
