"""``synovia reset``: a database without documents, after a question."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from synovia.cli.application import without_password
from synovia.cli.options import JsonOption, StoreOption, YesOption, store_of
from synovia.cli.reporting import counted, out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.export.writing import documents_of
from synovia.store import open_store
from synovia.store.base import Batch, Conflict, Store, Write

KEPT: Final = frozenset({"_keys", "_serviceKeys", "_operatorSessions", "_fileKeys"})
"""Tables that are left as they are: whoever holds a key goes on holding it."""
_ATTEMPTS: Final = 10


def reset(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="An application, for its embedded store of development.")
    ] = None,
    store: StoreOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete every document of a database, also calls to come and sessions; keys stay. It asks first.

    On MongoDB hubs may run meanwhile, and their clients see it; a SQLite file serves one process.
    """
    settings = settings_of()
    where = store_of(store, settings, path)
    check_there(where)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to be asked: say --yes")
        typer.confirm(f"Delete every document of {without_password(where)}?", abort=True)
    deleted = run_to_end(_reset(where, settings.request_ttl))
    if as_json:
        out.print_json(json.dumps({"deleted": deleted}))
        return
    for table, count in deleted.items():
        say(f"{table}: {counted(count)} deleted")
    say("arrays that nobody refers to any more go with the next sweep")


async def _reset(where: str, request_ttl: int) -> dict[str, int]:
    store = open_store(where, request_ttl=request_ttl)
    await store.open([])
    try:
        counts = {name: await _empty(store, name) for name in sorted({*await store.tables()} - KEPT)}
    finally:
        await store.close()
    return {name: count for name, count in counts.items() if count}


async def _empty(store: Store, table: str) -> int:
    """Delete the documents of a table that are there now; those that change meanwhile are looked at again."""
    deleted = 0
    for attempt in range(_ATTEMPTS):
        ts, _ = await store.newest()
        missed = 0
        async for page in documents_of(store.snapshot(ts), table):
            try:
                await store.commit(Batch([Write(table, each["_id"], each, None) for each in page]))
            except Conflict:
                missed += len(page)
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                deleted += len(page)
        if not missed:
            break
    return deleted
