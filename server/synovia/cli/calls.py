"""``synovia calls``: what is scheduled, runs, or has failed, read from the database."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from synovia import keys
from synovia.cli.application import development_store
from synovia.cli.options import StoreOption, without_secret
from synovia.cli.reporting import out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.functions.scheduled_calls import CronJob, ScheduledCall, Status
from synovia.keys import BY_ID, Order
from synovia.schema import Document
from synovia.store import open_store
from synovia.store.base import Snapshot
from synovia.store.filters import Comparison

STATUSES: tuple[Status, ...] = get_args(Status)
_BY_STATUS = next(index for index in ScheduledCall.spec.indexes if index.name == "by_status")


@dataclass(frozen=True, slots=True)
class CallListing:
    """What ``synovia calls`` shows, as documents.

    Attributes:
        counts: How many calls the database holds of each status.
        calls: The newest of the statuses that were asked for.
        crons: Those whose last run failed, if failures were asked for.
    """

    counts: dict[str, int]
    calls: list[Document]
    crons: list[Document] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {"counts": self.counts, "calls": _plain(self.calls), "crons": _plain(self.crons)}

    def lines(self) -> Iterable[str]:
        """Give it line by line, for people."""
        yield ", ".join(f"{count:,} {status}" for status, count in self.counts.items())
        yield from map(_call_line, self.calls)
        yield from map(_cron_line, self.crons)


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
    """List scheduled calls, by default those that wait or run; hubs may run meanwhile, on MongoDB."""
    settings = settings_of()
    where = without_secret(store) or settings.store or (development_store(path) if path is not None else None)
    if where is None:
        raise typer.BadParameter("say which database: --store, SYNOVIA_STORE, or the PATH of an application")
    chosen = _statuses([*(status or ()), *(["failed"] if failed else ())])
    listing = run_to_end(list_calls(where, chosen, limit, settings.request_ttl))
    if as_json:
        out.print_json(json.dumps(listing.as_json(), ensure_ascii=False), indent=2)
    else:
        for line in listing.lines():
            say(line)


def _statuses(named: list[str]) -> list[Status]:
    for each in named:
        if each not in STATUSES:
            raise typer.BadParameter(f"--status is one of {', '.join(STATUSES)}, not {each!r}")
    return [status for status in STATUSES if status in (named or ("pending", "running"))]


async def list_calls(url: str, statuses: Sequence[Status], limit: int, request_ttl: int) -> CallListing:
    """Read calls from a database; on MongoDB hubs may run meanwhile, a SQLite file serves one process.

    Args:
        limit: How many calls of each status.
        request_ttl: Seconds for which the hubs keep the records of mutations; opening the database sets it.

    Raises:
        StoreUnavailable: It is not there, cannot be reached, or another process has the file.
    """
    check_there(url)
    store = open_store(url, request_ttl=request_ttl)
    # Hubs of another version may need other indexes, and MongoDB reads an index that nobody has declared.
    await store.open([ScheduledCall.spec, CronJob.spec] if url.startswith("sqlite:") else [])
    try:
        ts, _ = await store.newest()
        return await _listing(store.snapshot(ts), statuses, limit)
    finally:
        await store.close()


async def _listing(snapshot: Snapshot, statuses: Sequence[Status], limit: int) -> CallListing:
    table, counts = ScheduledCall.spec.name, dict[str, int]()
    calls: list[Document] = []
    for status in STATUSES:
        interval = keys.prefix([status])
        counts[status] = await snapshot.count(table, _BY_STATUS, interval)
        if status in statuses:
            calls += await snapshot.scan(table, _BY_STATUS, interval, Order.DESC, limit=limit)
    if "failed" not in statuses:
        return CallListing(counts, calls)
    where = Comparison("lastStatus", "eq", "failed")
    return CallListing(counts, calls, await snapshot.scan(CronJob.spec.name, BY_ID, keys.prefix([]), where=where))


def _call_line(call: Document) -> str:
    """Show a call; whatever another program has written into it."""
    attempts = call.get("attempts")
    began = f"  attempt {attempts}" if attempts else ""
    words = _time(call.get("runAt")), call["_id"], call.get("status"), call.get("path")
    return "  ".join(map(str, words)) + began + _error(call.get("error"))


def _cron_line(cron: Document) -> str:
    return f"{_time(cron.get('lastRun'))}  cron  failed  {cron['_id']}{_error(cron.get('lastError'))}"


def _error(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    reference = f" (error {error['reference']})" if "reference" in error else ""
    return f"  {error.get('code')}: {error.get('message')}{reference}"


def _time(milliseconds: Any) -> str:
    try:
        moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return "(no time)           "
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case dt.datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)
