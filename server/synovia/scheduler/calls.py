"""``ctx.scheduler``: calls written into the database by the transaction that schedules them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from synovia.errors import FunctionError, InvalidArguments, UnknownFunction, WrongKind
from synovia.functions.awaiting import awaited
from synovia.functions.database import DatabaseWriter, SystemWriter
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import RetryTimes, ScheduledCall, queue_of
from synovia.functions.services import ScheduleInTransaction, Scheduler
from synovia.scheduler.arguments import stored
from synovia.schema import Id
from synovia_protocol.errors import ErrorCode

MOST_CALLS = 1_000
"""So many calls one mutation may schedule."""
_LATEST = 1 << 53
_MS = timedelta(milliseconds=1)
_NO_TIME = InvalidArguments("a call is scheduled at a whole number of milliseconds since 1970")


@dataclass(frozen=True, slots=True)
class When:
    """When a call is to run, in milliseconds since 1970.

    Attributes:
        after: Whether that is so long after ``now``, by whatever clock; else it is a time that was given.
    """

    at: int
    now: int
    after: bool = False


class Calls:
    """Schedules calls of an application's functions.

    Args:
        hub: The name of this hub; of the calls that it schedules it is the first to run them.
        keep: For how many milliseconds a call is kept when it is over.
    """

    def __init__(self, registry: Registry, hub: str, keep: int) -> None:
        self.registry = registry
        self.hub = hub
        self.keep = keep

    def within(self, db: DatabaseWriter, now: int) -> Scheduler:
        """Give what schedules in a mutation's own transaction."""
        return _Within(self, db, now)

    def apart(self, transact: ScheduleInTransaction) -> Scheduler:
        """Give what schedules in transactions of its own."""
        return _Apart(self, transact)

    def checked(self, path: str, args: Mapping[str, Any], retry: Retry | None) -> Function:
        """Find the function of a call to come, and check what it is to get.

        Raises:
            FunctionError: It cannot be called so.
        """
        function = self.registry.functions.get(path) if isinstance(path, str) else None
        if function is None:
            raise UnknownFunction(f"there is no mutation or action {path!r}")
        if function.kind is Kind.QUERY:
            raise WrongKind(f"{path!r} is a query: only mutations and actions can be scheduled")
        if retry is not None and function.kind is Kind.MUTATION:
            raise InvalidArguments(f"{path!r} is a mutation: it is tried again only if it cannot be committed")
        function.validate(args)
        return function

    def call(
        self, function: Function, args: Mapping[str, Any], when: When, *, retry: Retry | None = None,
        cron: str | None = None,
    ) -> ScheduledCall:  # fmt: skip
        """Make the row of a call to come."""
        policy = retry or function.retry
        return ScheduledCall(
            path=function.path, args=stored(args), status="pending", run_at=when.at, created_at=when.now, cron=cron,
            retry=None if policy is None else _times(policy),
            pool=function.pool, queue="mutation" if function.kind is Kind.MUTATION else queue_of(function.pool),
            due_at=when.at, planned_at=when.now if when.after else None, hub=self.hub,
        )  # fmt: skip


def _times(policy: Retry) -> RetryTimes:
    return RetryTimes(
        attempts=policy.attempts, first=policy.first // _MS, factor=float(policy.factor), limit=policy.limit // _MS
    )


class _Within:
    def __init__(self, calls: Calls, db: DatabaseWriter, now: int) -> None:
        self._calls = calls
        self._db = SystemWriter(db)
        self._now = now
        self._count = 0

    @awaited("ctx.scheduler.run_after", is_write=True)
    async def run_after(
        self, delay: timedelta, path: str, args: Mapping[str, Any] | None = None, *, retry: Retry | None = None
    ) -> Id[ScheduledCall]:
        if not isinstance(delay, timedelta) or delay < timedelta():
            raise InvalidArguments("a call is scheduled after a timedelta that is not negative")
        return await self._schedule(When(self._now - -delay // _MS, self._now, after=True), path, args, retry)

    @awaited("ctx.scheduler.run_at", is_write=True)
    async def run_at(
        self, when: int, path: str, args: Mapping[str, Any] | None = None, *, retry: Retry | None = None
    ) -> Id[ScheduledCall]:
        if type(when) is not int:
            raise _NO_TIME
        return await self._schedule(When(when, self._now), path, args, retry)

    async def _schedule(
        self, when: When, path: str, args: Mapping[str, Any] | None, retry: Retry | None
    ) -> Id[ScheduledCall]:
        if not 0 <= when.at < _LATEST:
            raise _NO_TIME
        if args is not None and not isinstance(args, Mapping):
            raise InvalidArguments("arguments are a map from names to values")
        function = self._calls.checked(path, args or {}, retry)
        self._count += 1
        if self._count > MOST_CALLS:
            raise FunctionError(ErrorCode.LIMIT_EXCEEDED, f"one mutation schedules at most {MOST_CALLS} calls")
        return await self._db.insert(self._calls.call(function, args or {}, when, retry=retry))

    @awaited("ctx.scheduler.cancel", is_write=True)
    async def cancel(self, call_id: str) -> bool:
        call = await self._db.get(ScheduledCall, Id(call_id))
        if call is None or call.status != "pending":
            return False
        await self._db.patch(call, status="cancelled", **over(self._now, self._calls.keep))
        return True


def over(now: int, keep: int) -> dict[str, Any]:
    """Give the changes that every call gets when it is over."""
    # Removed together with others of the same minute, so that not every single one is a transaction.
    return {
        "finished_at": now,
        "planned_at": None,
        "queue": "finished",
        "due_at": (now + keep) // 60_000 * 60_000 + 60_000,
    }


class _Apart:
    def __init__(self, calls: Calls, transact: ScheduleInTransaction) -> None:
        self._calls = calls
        self._transact = transact

    @awaited("ctx.scheduler.run_after")
    async def run_after(
        self, delay: timedelta, path: str, args: Mapping[str, Any] | None = None, *, retry: Retry | None = None
    ) -> Id[ScheduledCall]:
        return Id(await self._do(lambda scheduler: scheduler.run_after(delay, path, args, retry=retry)))

    @awaited("ctx.scheduler.run_at")
    async def run_at(
        self, when: int, path: str, args: Mapping[str, Any] | None = None, *, retry: Retry | None = None
    ) -> Id[ScheduledCall]:
        return Id(await self._do(lambda scheduler: scheduler.run_at(when, path, args, retry=retry)))

    @awaited("ctx.scheduler.cancel")
    async def cancel(self, call_id: str) -> bool:
        return bool(await self._do(lambda scheduler: scheduler.cancel(call_id)))

    async def _do(self, work: Callable[[Scheduler], Any]) -> Any:
        return (await self._transact(work)).value()
