"""``synovia migrate``: run migrations, or tell what a version of an application finds in a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from synovia.app import Synovia
from synovia.cli.application import check_path, development_store, load, server_of
from synovia.cli.operations import ask_hub, operate
from synovia.cli.options import PathArgument, StoreOption, without_secret
from synovia.cli.reporting import FAILED, err, out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.functions.registry import Registry
from synovia.migrations.plan import lines_of, needs_attention, plan, status
from synovia.store import open_store

_READERS = {"migrate plan": plan, "migrate status": status}


def migrate(
    path: PathArgument,
    store: StoreOption = None,
    show_plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Change nothing; tell what would be made and run, and every document that does not fit."
        ),
    ] = False,
    show_status: Annotated[
        bool, typer.Option("--status", help="Change nothing; tell which migrations have run.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop-unused-indexes", help="Take away indexes that this version does not declare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run the migrations that have not run, one after the other; hubs may run meanwhile.

    On an embedded store that a server has, that server does it, with the application that it runs. With --plan it ends
    with 1 if something would not work.
    """
    if show_plan + show_status + drop > 1:
        raise typer.BadParameter("one of --plan, --status and --drop-unused-indexes")
    settings = settings_of(debug=True, scheduler={"enabled": False})
    check_path(path)
    where = without_secret(store) or settings.store or development_store(path)
    operation = (
        "migrate plan" if show_plan else "migrate status" if show_status else "migrate drop" if drop else "migrate"
    )
    found = run_to_end(
        _done(
            operation,
            where,
            lambda: load(path),
            lambda: server_of(load(path), where, settings),
            settings.request_ttl,
        )
    )
    if as_json:
        out.print_json(json.dumps(found, ensure_ascii=False), indent=2)
    else:
        for line in lines_of(found):
            say(line)
    if show_plan and needs_attention(found):
        raise typer.Exit(FAILED)


async def _done(
    operation: str, where: str, registry: Callable[[], Registry], server: Callable[[], Synovia], request_ttl: int
) -> Any:
    read = _READERS.get(operation)
    if read is None:
        return await operate(server, where, operation, {})
    answered, found = await ask_hub(where, operation, {})
    if answered:
        err.print("[dim]told by the server that has this file, of the application that it runs[/]")
        return found
    check_there(where)
    store = open_store(where, request_ttl=request_ttl)
    await store.open([])  # nothing is to be made
    try:
        return await read(store, registry())
    finally:
        await store.close()
