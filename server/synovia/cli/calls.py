"""``synovia calls``: what is scheduled, runs, or has failed, read from the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from synovia.cli.call_listing import STATUSES, TABLES, CallListing, listing_of
from synovia.cli.hub import connected
from synovia.cli.operations import ask_hub
from synovia.cli.options import StoreOption, store_of
from synovia.cli.reporting import FAILED, fail, out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.cli.watching import HERE, UrlOption, address_of
from synovia.functions.scheduled_calls import Status
from synovia.store import open_store


def calls(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="An application, for its embedded store of development.")
    ] = None,
    store: StoreOption = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Those that have failed, and crons that failed last.")
    ] = False,
    status: Annotated[
        list[str] | None, typer.Option("--status", help=f"{', '.join(STATUSES)}; again for more.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many of each status.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    cancel: Annotated[
        str | None, typer.Option("--cancel", metavar="ID", help="Cancel a call that waits, at the hub at --url.")
    ] = None,
    retry: Annotated[
        str | None,
        typer.Option(
            "--retry", metavar="ID", help="Run a call that is over once more, at that hub; jobs and workflows go on."
        ),
    ] = None,
    url: UrlOption = HERE,
) -> None:
    """List scheduled calls, by default those that wait or run; hubs may run meanwhile.

    --cancel and --retry ask a hub that runs, as `synovia call` does. Exits with 1 if a call to cancel waits no longer.
    """
    if cancel is not None or retry is not None:
        if cancel is not None and retry is not None:
            raise typer.BadParameter("one of --cancel and --retry")
        _change(url, cancel, retry, as_json=as_json)
        return
    settings = settings_of()
    where = store_of(store, settings, path)
    chosen = _statuses([*(status or ()), *(["failed"] if failed else ())])
    listing = run_to_end(list_calls(where, chosen, limit, settings.request_ttl))
    if as_json:
        out.print_json(json.dumps(asdict(listing), ensure_ascii=False), indent=2)
    else:
        for line in listing.lines():
            say(line)


def _change(url: str, cancel: str | None, retry: str | None, *, as_json: bool) -> None:
    """Let a hub cancel a call, or run it once more."""
    if retry is not None:
        new = run_to_end(_asked(url, "retry", retry))
        if as_json:
            out.print_json(json.dumps({"id": new}))
        else:
            say(f"{retry} goes on where it stopped" if new == retry else f"scheduled once more, as {new}")
        return
    cancelled = run_to_end(_asked(url, "cancel", cancel or ""))
    if as_json:
        out.print_json(json.dumps({"cancelled": cancelled}))
    elif cancelled:
        say(f"{cancel} is cancelled")
    if not cancelled:
        fail(f"{cancel} does not wait: it runs, is over, or is not there", FAILED)


async def _asked(url: str, what: str, id_: str) -> Any:
    async with connected(address_of(url)) as hub:
        return await hub.mutation(f"_system/calls:{what}", {"id": id_})


def _statuses(named: list[str]) -> list[Status]:
    for each in named:
        if each not in STATUSES:
            raise typer.BadParameter(f"--status is one of {', '.join(STATUSES)}, not {each!r}")
    return [status for status in STATUSES if status in (named or ("pending", "running"))]


async def list_calls(url: str, statuses: Sequence[Status], limit: int, request_ttl: int) -> CallListing:
    """Read calls from a database, or let the hub do it that has the file.

    Args:
        limit: How many calls of each status.
        request_ttl: Seconds for which the hubs keep the records of mutations; opening the database sets it.

    Raises:
        StoreUnavailable: It is not there, or cannot be reached.
    """
    given = {"statuses": [*statuses], "limit": limit}
    answered, found = await ask_hub(url, "calls", given)
    if answered:
        return CallListing(**found)
    check_there(url)
    store = open_store(url, request_ttl=request_ttl)
    # Hubs of another version may need other indexes, and MongoDB reads an index that nobody has declared.
    await store.open(TABLES if url.startswith("sqlite:") else [])
    try:
        return await listing_of(store, given)
    finally:
        await store.close()
