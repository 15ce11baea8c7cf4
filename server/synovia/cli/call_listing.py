"""What is scheduled, runs, or has failed: read from a database, shown as JSON or line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from synovia import keys
from synovia.cli.visible import set_in
from synovia.export.plain import plain
from synovia.functions.scheduled_calls import WAITING, WORKFLOWS, CronJob, ScheduledCall, Status, WorkflowStep
from synovia.keys import BY_ID, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Store
from synovia.store.filters import AllOf, Comparison

STATUSES: tuple[Status, ...] = get_args(Status)
TABLES = (ScheduledCall.spec, CronJob.spec, WorkflowStep.spec)
_BY_STATUS = next(index for index in ScheduledCall.spec.indexes if index.name == "by_status")
_BY_WORKFLOW = next(index for index in WorkflowStep.spec.indexes if index.name == "by_workflow")
_BEGUN = Comparison("number", "ge", 0)


@dataclass(frozen=True, slots=True)
class CallListing:
    """What ``synovia calls`` shows, as JSON has it.

    Attributes:
        counts: How many calls the database holds of each status.
        calls: The newest of the statuses that were asked for; a workflow that is under way with its ``steps``.
        crons: Those whose last run failed, if failures were asked for.
    """

    counts: dict[str, int]
    calls: list[Document]
    crons: list[Document] = field(default_factory=list)

    def lines(self) -> Iterable[str]:
        """Give it line by line, for people."""
        yield ", ".join(f"{count:,} {status}" for status, count in self.counts.items())
        yield from (set_in(_call_line(call)) for call in self.calls)
        yield from (set_in(_cron_line(cron)) for cron in self.crons)


async def listing_of(store: Store, given: Mapping[str, Any]) -> CallListing:
    """Read calls from a store that is open.

    Args:
        given: ``statuses``, and ``limit``: how many calls of each.
    """
    ts, _ = await store.newest()
    return await _listing(store.snapshot(ts), given["statuses"], given["limit"])


async def _listing(snapshot: Snapshot, statuses: Sequence[Status], limit: int) -> CallListing:
    table, counts = ScheduledCall.spec.name, dict[str, int]()
    calls: list[Document] = []
    for status in STATUSES:
        interval = keys.prefix([status])
        counts[status] = await snapshot.count(table, _BY_STATUS, interval)
        if status in statuses:
            calls += await snapshot.scan(table, _BY_STATUS, interval, Order.DESC, limit=limit)
    calls = [await _with_steps(snapshot, call) for call in calls]
    if "failed" not in statuses:
        return CallListing(counts, plain(calls))
    where = Comparison("lastStatus", "eq", "failed")
    crons = await snapshot.scan(CronJob.spec.name, BY_ID, keys.prefix([]), where=where)
    return CallListing(counts, plain(calls), plain(crons))


async def _with_steps(snapshot: Snapshot, call: Document) -> Document:
    if call.get("queue") not in (WORKFLOWS, WAITING):
        return call
    table, interval = WorkflowStep.spec.name, keys.prefix([call["_id"]])
    begun = await snapshot.count(table, _BY_WORKFLOW, interval, where=_BEGUN)
    is_over = AllOf((_BEGUN, Comparison("status", "ne", "pending")))
    done = await snapshot.count(table, _BY_WORKFLOW, interval, where=is_over)
    return {**call, "steps": {"done": done, "begun": begun}}


def _call_line(call: Document) -> str:
    """Show a call; whatever another program has written into it."""
    attempts = call.get("attempts")
    began = f"  attempt {attempts}" if attempts else ""
    words = _time(call.get("runAt")), call["_id"], call.get("status"), call.get("path")
    return "  ".join(map(str, words)) + _progress(call) + began + _error(call.get("error"))


def _progress(call: Document) -> str:
    progress, steps = call.get("progress"), call.get("steps")
    if isinstance(progress, dict):
        return f"  {progress.get('done')} of {progress.get('estimate')} documents"
    return f"  {steps['done']} of {steps['begun']} steps begun" if isinstance(steps, dict) else ""


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
