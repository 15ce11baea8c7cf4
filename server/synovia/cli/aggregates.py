"""``synovia aggregates``: whether the sums that are kept are those of the documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from synovia.cli.application import check_path, development_store, load, server_of
from synovia.cli.operations import operate
from synovia.cli.options import JsonOption, PathArgument, StoreOption, without_secret
from synovia.cli.reporting import FAILED, counted, out, reporting, run_to_end, say, settings_of


@reporting
def aggregates(
    path: PathArgument,
    store: StoreOption = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make all sums anew first; what is asked meanwhile is right, but slow.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the sums of aggregate indexes with the documents; every document is read. Ends with 1 if some are wrong.

    On an embedded store that a server has, that server does it.
    """
    settings = settings_of(debug=True, scheduler={"enabled": False})
    check_path(path)
    where = without_secret(store) or settings.store or development_store(path)
    operation = "aggregates rebuild" if rebuild else "aggregates"
    found = run_to_end(operate(lambda: server_of(load(path), where, settings), where, operation, {}))
    if as_json:
        out.print_json(json.dumps(found))
    else:
        for each in found or ():
            say(line_of(each))
        if not found:
            say("no table declares an AggregateIndex")
    if any(each["wrong"] for each in found):
        raise typer.Exit(FAILED)


def line_of(each: Mapping[str, Any]) -> str:
    """Say what was found of an aggregate index."""
    place = f"{each['table']}.{each['name']}"
    if not each["made"]:
        return f"{place}: sums are being made; {counted(each['documents'])} so far"
    waiting = f", {counted(each['changes'], 'change')} not among them yet" if each["changes"] else ""
    wrong = f"{each['wrong']:,} of {counted(each['nodes'], 'node')} wrong" if each["wrong"] else "right"
    return f"{place}: sums of {counted(each['documents'])}{waiting}: {wrong}"
