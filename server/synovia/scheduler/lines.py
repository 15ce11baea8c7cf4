"""The lines in which calls to come wait: whoever has many has one of their own, so that nobody else's wait behind them.

The first few calls of everybody wait together, in the order in which they are due; what somebody schedules beyond these
waits in a line of their own. So few lines there are that a hub can look at the first calls of each in turn (fair queueing:
Nagle, *On packet switches with infinite storage*, RFC 970, 1985), however many callers have a reminder for next week.
"""

from __future__ import annotations

from dataclasses import dataclass

from synovia.errors import FunctionError
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.registry import Registry
from synovia.functions.scheduled_calls import ACTIONS, JOBS, WAITING, WORKFLOWS, CallBatch, queue_of
from synovia.limits.bucket import Bucket
from synovia.limits.recent import Recent
from synovia.scheduler.tables import QueuedCall
from synovia_protocol.errors import ErrorCode

FEW = 8
"""So many calls of one caller wait together with those of others."""
MOST_CALLERS = 10_000
"""Of so many callers it is remembered how much they have scheduled."""
_MORE_PER_SECOND = 0.1
_COUNTED_FOR_MS = 1_000


@dataclass(slots=True)
class _Caller:
    """What one has scheduled of late.

    Attributes:
        few: What still waits together with that of others.
        known: So many calls to come there were when they were counted last.
        since: So many were scheduled here after that.
        counted_at: When that was, in milliseconds since 1970.
    """

    few: Bucket
    known: int = 0
    since: int = 0
    counted_at: int = 0


class Lines:
    """Tells in which line calls wait, and refuses them when their caller has too many to come.

    Args:
        most: Calls to come that one caller may have; counted anew after each tenth of these, and when they seem to be there.
    """

    def __init__(self, registry: Registry, most: int) -> None:
        pools = [queue_of(name) for name in registry.pools]
        self._queues = ["mutation", ACTIONS, *pools, JOBS, WORKFLOWS, WAITING, "running"]
        self._most = most
        self._callers = Recent[str | None, _Caller](MOST_CALLERS)

    async def join(self, ctx: MutationContext, cause: str | None, count: int = 1) -> str | None:
        """Give the line in which some more calls wait; None: with those of others.

        Raises:
            FunctionError: ``limit_exceeded``: the caller has too many to come. The application itself may have as many as it
                likes.
        """
        caller = self._caller(cause, ctx.now)
        if cause is not None:
            await self._check(ctx, cause, caller, count)
        if count <= FEW and caller.few.spend(count, ctx.now / 1000) <= 0:
            return None
        return cause or ""

    def _caller(self, cause: str | None, now: int) -> _Caller:
        return self._callers.use(cause, lambda: _Caller(Bucket(_MORE_PER_SECOND, now / 1000, burst=FEW)))

    async def _check(self, ctx: MutationContext, cause: str, caller: _Caller, count: int) -> None:
        seems_too_many = caller.known + caller.since + count > self._most
        was_counted = abs(ctx.now - caller.counted_at) < _COUNTED_FOR_MS
        if (seems_too_many or caller.since + count > self._most // 10) and not was_counted:
            caller.known, caller.since, caller.counted_at = await self._pending(ctx, cause), 0, ctx.now
        if caller.known + caller.since + count > self._most:
            raise FunctionError(
                ErrorCode.LIMIT_EXCEEDED,
                f"this caller has {caller.known + caller.since:,} calls to come, of at most {self._most:,}: wait until"
                " some have run, cancel some, or go over many documents by one job (ctx.scheduler.run_job)",
            )
        caller.since += count

    async def _pending(self, ctx: MutationContext, line: str) -> int:
        db = SystemWriter(ctx.db)
        calls, batches = db.query(QueuedCall), db.query(CallBatch)
        counts = [
            await calls.using("by_line", queue=queue, large=large, line=line).count()
            for queue in self._queues
            for large in (None, True)
        ]
        return sum(counts) + int(await batches.using("by_line", line=line).sum("size"))
