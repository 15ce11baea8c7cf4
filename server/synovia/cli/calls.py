"""``synovia calls``: what is scheduled, runs, or has failed, read from the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from synovia.cli.call_listing import STATUSES, CallListing, listing_of
from synovia.cli.operations import ask_hub
from synovia.cli.options import StoreOption, store_of
from synovia.cli.reporting import out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.functions.scheduled_calls import CronJob, ScheduledCall, Status
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
) -> None:
    """List scheduled calls, by default those that wait or run; hubs may run meanwhile."""
    settings = settings_of()
    where = store_of(store, settings, path)
    chosen = _statuses([*(status or ()), *(["failed"] if failed else ())])
    listing = run_to_end(list_calls(where, chosen, limit, settings.request_ttl))
    if as_json:
        out.print_json(json.dumps(asdict(listing), ensure_ascii=False), indent=2)
    else:
        for line in listing.lines():
            say(line)


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
    await store.open([ScheduledCall.spec, CronJob.spec] if url.startswith("sqlite:") else [])
    try:
        return await listing_of(store, given)
    finally:
        await store.close()
