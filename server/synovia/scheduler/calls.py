"""``ctx.scheduler``: calls written into the database by the transaction that schedules them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Unpack

from synovia.errors import FunctionError, InvalidArguments, UnknownFunction, WrongKind
from synovia.functions.awaiting import awaited
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import CallOutcome, RetryTimes, ScheduledCall, queue_of
from synovia.functions.services import CallOptions, ScheduleInTransaction, Scheduler
from synovia.scheduler.arguments import stored
from synovia.scheduler.completion import Completion
from synovia.scheduler.failures import say
from synovia.schema import Id
from synovia_protocol.errors import ErrorCode

MOST_CALLS = 1_000
"""So many calls one mutation may schedule one by one."""
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

    def __post_init__(self) -> None:
        if not 0 <= self.at < _LATEST:
            raise _NO_TIME

    @classmethod
    def given(cls, at: int, now: int) -> When:
        """Take a time.

        Raises:
            InvalidArguments: It is none.
        """
        if type(at) is not int:
            raise _NO_TIME
        return cls(at, now)

    @classmethod
    def in_(cls, delay: timedelta, now: int) -> When:
        """Take a time from now.

        Raises:
            InvalidArguments: It is none, or lies before now.
        """
        if not isinstance(delay, timedelta) or delay < timedelta():
            raise InvalidArguments("a call is scheduled after a timedelta that is not negative")
        return cls(now - -delay // _MS, now, after=True)


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
        self.completion = Completion(registry, hub)

    def within(self, ctx: MutationContext) -> Scheduler:
        """Give what schedules in a mutation's own transaction."""
        return _Within(self, ctx)

    def apart(self, transact: ScheduleInTransaction) -> Scheduler:
        """Give what schedules in transactions of its own."""
        return _Apart(self, transact)

    def call(
        self, path: str, args: Mapping[str, Any] | None, when: When, *, cron: str | None = None,
        **options: Unpack[CallOptions],
    ) -> ScheduledCall:  # fmt: skip
        """Make the row of a call to come.

        Raises:
            FunctionError: Nothing can be called so.
        """
        function = self._checked(path, args, options)
        policy = options.get("retry") or function.retry
        return ScheduledCall(
            path=function.path, args=stored(args or {}), status="pending", run_at=when.at, created_at=when.now,
            retry=None if policy is None else _times(policy), cron=cron,
            on_complete=options.get("on_complete"), on_failure=options.get("on_failure"),
            context=stored({"context": options.get("context")})["context"],
            pool=function.pool, queue="mutation" if function.kind is Kind.MUTATION else queue_of(function.pool),
            due_at=when.at, planned_at=when.now if when.after else None, hub=self.hub,
        )  # fmt: skip

    def _checked(self, path: str, args: Mapping[str, Any] | None, options: CallOptions) -> Function:
        """Find the function of a call to come, and check what it, and who is told of it, are to get."""
        function = self.registry.functions.get(path) if isinstance(path, str) else None
        if args is not None and not isinstance(args, Mapping):
            raise InvalidArguments("arguments are a map from names to values")
        if function is None:
            raise UnknownFunction(f"there is no mutation or action {path!r}")
        if function.kind is Kind.QUERY:
            raise WrongKind(f"{path!r} is a query: only mutations and actions can be scheduled")
        if options.get("retry") is not None and function.kind is Kind.MUTATION:
            raise InvalidArguments(f"{path!r} is a mutation: it is tried again only if it cannot be committed")
        function.validate(args or {})
        for told in (options.get("on_complete"), options.get("on_failure")):
            if told is not None:
                self.completion.check(told, options.get("context"))
        return function


def _times(policy: Retry) -> RetryTimes:
    return RetryTimes(
        attempts=policy.attempts, first=policy.first // _MS, factor=float(policy.factor), limit=policy.limit // _MS
    )


class _Within:
    def __init__(self, calls: Calls, ctx: MutationContext) -> None:
        self._calls = calls
        self._ctx = ctx
        self._db = SystemWriter(ctx.db)
        self._now = ctx.now
        self._count = 0

    @awaited("ctx.scheduler.run_after", is_write=True)
    async def run_after(
        self, delay: timedelta, path: str, args: Mapping[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> Id[ScheduledCall]:
        return await self._schedule(When.in_(delay, self._now), path, args, options)

    @awaited("ctx.scheduler.run_at", is_write=True)
    async def run_at(
        self, when: int, path: str, args: Mapping[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> Id[ScheduledCall]:
        return await self._schedule(When.given(when, self._now), path, args, options)

    async def _schedule(
        self, when: When, path: str, args: Mapping[str, Any] | None, options: CallOptions
    ) -> Id[ScheduledCall]:
        row = self._calls.call(path, args, when, **options)
        self._count += 1
        if self._count > MOST_CALLS:
            raise FunctionError(ErrorCode.LIMIT_EXCEEDED, f"one mutation schedules at most {MOST_CALLS} calls")
        return await self._db.insert(row)

    @awaited("ctx.scheduler.cancel", is_write=True)
    async def cancel(self, call_id: str) -> bool:
        call = await self._db.get(ScheduledCall, Id(call_id))
        if call is None or call.status != "pending":
            return False
        await self._db.patch(call, status="cancelled", **over(self._now, self._calls.keep))
        say(await self._calls.completion.tell(self._ctx, call, CallOutcome(status="cancelled")))
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
        self, delay: timedelta, path: str, args: Mapping[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> Id[ScheduledCall]:
        return Id(await self._do(lambda scheduler: scheduler.run_after(delay, path, args, **options)))

    @awaited("ctx.scheduler.run_at")
    async def run_at(
        self, when: int, path: str, args: Mapping[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> Id[ScheduledCall]:
        return Id(await self._do(lambda scheduler: scheduler.run_at(when, path, args, **options)))

    @awaited("ctx.scheduler.cancel")
    async def cancel(self, call_id: str) -> bool:
        return bool(await self._do(lambda scheduler: scheduler.cancel(call_id)))

    async def _do(self, work: Callable[[Scheduler], Any]) -> Any:
        return (await self._transact(work)).value()
