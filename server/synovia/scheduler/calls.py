"""``ctx.scheduler``: calls written into the database by the transaction that schedules them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Self, Unpack

from synovia.charges import cause
from synovia.errors import FunctionError, InvalidArguments, UnknownFunction, WrongKind
from synovia.functions.awaiting import awaited
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.function import Function, Kind
from synovia.functions.job import JobFunction
from synovia.functions.query import Query
from synovia.functions.references import FunctionReference, declared_by, path_of
from synovia.functions.registry import Registry
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import (
    JOBS,
    WAITING,
    WORKFLOWS,
    CallOutcome,
    JobPlace,
    RetryTimes,
    ScheduledCall,
    large_if,
)
from synovia.functions.scheduling_cause import note_scheduled
from synovia.functions.services import CallOptions, MutationScheduler, ScheduleInTransaction, Scheduler
from synovia.functions.workflow import WorkflowFunction
from synovia.scheduler.arguments import taken
from synovia.scheduler.batches import CALL_BYTES, BatchedCall, ByteBudget, take_out, write_batches
from synovia.scheduler.completion import Completion
from synovia.scheduler.failures import say
from synovia.scheduler.journal import cancel_workflow, resume_workflow, send_event
from synovia.scheduler.lines import Lines
from synovia.scheduler.places import first_place
from synovia.scheduler.replay import WORKFLOW_CHANGED
from synovia.scheduler.tables import QueuedBatch
from synovia.schema import Id
from synovia.turns import Turns
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
        return cls(now + delay // _MS + bool(delay % _MS), now, after=True)


class Calls:
    """Schedules calls of an application's functions.

    Args:
        hub: The name of this hub; of the calls that it schedules it is the first to run them.
        keep: For how many milliseconds a call is kept when it is over.
        most: Calls to come that one caller may have.
    """

    def __init__(self, registry: Registry, hub: str, keep: int, most: int) -> None:
        self.registry = registry
        self.hub = hub
        self.keep = keep
        self.lines = Lines(registry, most)
        self.completion = Completion(registry, hub)

    def within(self, ctx: MutationContext) -> MutationScheduler:
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
        row, context = self.row(path, when, cron=cron, **options), options.get("context")
        own, _ = self.of_its_own(row, {} if args is None else args, context)
        return row.model_copy(update=own)

    def row(
        self, path: str, when: When, *, cron: str | None = None, **options: Unpack[CallOptions]
    ) -> ScheduledCall:  # fmt: skip
        """Make what calls have in common that differ in their arguments and contexts.

        Raises:
            FunctionError: There is nothing to call.
        """
        function, retry = self._function(path), options.get("retry")
        if retry is not None and function.queue in ("mutation", WORKFLOWS):
            raise InvalidArguments(f"{path!r} is a mutation: it is tried again only if it cannot be committed")
        policy = retry or function.retry
        return ScheduledCall(
            path=function.path, status="pending", run_at=when.at, created_at=when.now, cron=cron,
            retry=None if policy is None else _times(policy),
            on_complete=_path_told(options.get("on_complete")), on_failure=_path_told(options.get("on_failure")),
            pool=function.pool, queue=function.queue,
            due_at=when.at, planned_at=when.now if when.after else None, hub=self.hub, caused_by=cause(),
        )  # fmt: skip

    def of_its_own(self, row: ScheduledCall, args: Mapping[str, Any], context: Any) -> tuple[dict[str, Any], int]:
        """Give what a call has of its own, as documents hold it, and its size in bytes.

        Raises:
            FunctionError: The function does not take these arguments, or who is told of the call not this context.
        """
        if not isinstance(args, Mapping):
            raise InvalidArguments("arguments are a map from names to values")
        self._function(row.path).validate(args)
        for told in (row.on_complete, row.on_failure):
            if told is not None:
                self.completion.check(told, context)
        document, size = taken(args)
        held, more = taken({"context": context})
        return {"args": document, "context": held["context"], "large": large_if(size + more)}, size + more

    def _function(self, path: str) -> Function:
        function = self.registry.scheduled(path) if isinstance(path, str) else None
        if function is None:
            hint = self.registry.hint(path, internal=True) if isinstance(path, str) else ""
            raise UnknownFunction(f"there is no mutation or action {path!r}{hint}")
        if function.kind is Kind.QUERY:
            raise WrongKind(f"{path!r} is a query: only mutations and actions can be scheduled")
        return function

    def is_workflow(self, path: str) -> bool:
        """Tell whether a path is that of a workflow."""
        return isinstance(self.registry.scheduled(path), WorkflowFunction)

    async def resume(self, ctx: MutationContext, call: ScheduledCall) -> bool:
        """Let a job or a workflow go on that has failed, or was cancelled; False for any other."""
        is_workflow = call.job is None and self.is_workflow(call.path)
        if call.status not in ("failed", "cancelled") or not (call.job is not None or is_workflow):
            return False
        if is_workflow and (call.error is None or call.error.code != WORKFLOW_CHANGED):  # that one goes on as it is
            await resume_workflow(ctx, call)
        status, queue = ("running", WORKFLOWS) if is_workflow else ("pending", JOBS)
        await SystemWriter(ctx.db).patch(
            call, status=status, queue=queue, due_at=ctx.now, planned_at=ctx.now, hub=self.hub, attempts=0,
            finished_at=None, error=None, caused_by=cause(), turn=None,
        )  # fmt: skip
        return True

    def job_of(self, path: str, query: Query[Any]) -> JobFunction:
        """Give the job of a path.

        Raises:
            FunctionError: There is none, or it cannot go over this query.
        """
        function = self._function(path)
        if not isinstance(function, JobFunction):
            raise WrongKind(f"{path!r} is no job: declare it with @job")
        if not isinstance(query, Query) or query.table is not function.table:
            name = function.table.__name__
            raise InvalidArguments(f"{path!r} goes over rows of {name}: give it a query, as ctx.db.query({name})")
        return function


def _path_told(function: FunctionReference | None) -> str | None:
    return None if function is None else path_of(function)


def _times(policy: Retry) -> RetryTimes:
    return RetryTimes(
        attempts=policy.attempts, first=policy.first // _MS, factor=float(policy.factor), limit=policy.limit // _MS
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """What is to be called, by its path, with the arguments that a client would send."""

    path: str
    args: Mapping[str, Any] | None
    options: CallOptions


class _Optioned:
    """Says its options with every call that does not say others."""

    _options: CallOptions = CallOptions()

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        other = copy(self)
        other._options = {**self._options, **_checked(options)}
        return other

    def _call(
        self, function: FunctionReference, args: tuple[Any, ...], kwargs: dict[str, Any], *, is_job: bool = False
    ) -> _Call:
        declared = declared_by(function)
        if declared is None:
            return self._by_path(function, *args, **kwargs)
        if isinstance(declared, JobFunction) != is_job:
            raise WrongKind(
                f"{declared.path!r} is "
                + ("no job: declare it with @job" if is_job else "a job: begin it with run_job")
            )
        return _Call(declared.path, declared.send(declared.bind(*args, **kwargs)), self._options)

    def _by_path(self, path: Any, args: Mapping[str, Any] | None = None, **options: Unpack[CallOptions]) -> _Call:
        return _Call(path, args, {**self._options, **_checked(options)})


class _Within(_Optioned):
    def __init__(self, calls: Calls, ctx: MutationContext) -> None:
        self._calls = calls
        self._ctx = ctx
        self._db = SystemWriter(ctx.db)
        self._now = ctx.now
        self._count = count(1)
        self._budget = ByteBudget()
        self._turns = Turns(1)

    @awaited("ctx.scheduler.run_after", is_write=True)
    async def run_after(self, delay: timedelta, function: Any, /, *args: Any, **kwargs: Any) -> Id[ScheduledCall]:
        return await self._schedule(When.in_(delay, self._now), self._call(function, args, kwargs))

    @awaited("ctx.scheduler.run_at", is_write=True)
    async def run_at(self, when: int, function: Any, /, *args: Any, **kwargs: Any) -> Id[ScheduledCall]:
        return await self._schedule(When.given(when, self._now), self._call(function, args, kwargs))

    async def _schedule(self, when: When, call: _Call, place: JobPlace | None = None) -> Id[ScheduledCall]:
        await self._turns.step()
        row = self._calls.call(call.path, call.args, when, **call.options).model_copy(update={"job": place})
        if row.queue == JOBS and place is None:
            raise WrongKind(f"{call.path!r} is a job: begin it with run_job")
        if next(self._count) > MOST_CALLS:
            text = f"one mutation schedules at most {MOST_CALLS} calls one by one; run_many takes more"
            raise FunctionError(ErrorCode.LIMIT_EXCEEDED, text)
        line = await self._calls.lines.join(self._ctx, row.caused_by)
        id_ = await self._db.insert(row.model_copy(update={"line": line}))
        note_scheduled(id_)
        return id_

    @awaited("ctx.scheduler.run_many", is_write=True)
    async def run_many(
        self, function: FunctionReference, calls: Iterable[Mapping[str, Any]], *, delay: timedelta = timedelta(),
        at: int | None = None, contexts: Iterable[Any] | None = None, **options: Unpack[CallOptions],
    ) -> list[Id[ScheduledCall]]:  # fmt: skip
        said: CallOptions = {**self._options, **_checked(options)}
        row = self._calls.row(path_of(function), _when(delay, at, self._now), **said)
        if row.queue == JOBS:
            raise WrongKind(f"{row.path!r} is a job: begin it with run_job")
        batched: list[BatchedCall] = []
        for args, context in _with_contexts(calls, contexts, said):
            own, size = self._calls.of_its_own(row, args, context)
            self._budget.spend(size + CALL_BYTES)
            batched.append(BatchedCall(self._db.make_id(), own["args"], own["context"], size))
            await self._turns.step()
        line = await self._calls.lines.join(self._ctx, row.caused_by, len(batched))
        write_batches(self._db, row.model_copy(update={"line": line}), batched)
        return [Id(str(call.id)) for call in batched]

    @awaited("ctx.scheduler.run_job", is_write=True)
    async def run_job(self, function: Any, query: Query[Any], /, *args: Any, **kwargs: Any) -> Id[ScheduledCall]:
        call = self._call(function, args, kwargs, is_job=True)
        self._calls.job_of(call.path, query)
        return await self._schedule(When.in_(timedelta(), self._now), call, first_place(await query.ruled()))

    @awaited("ctx.scheduler.resume", is_write=True)
    async def resume(self, call_id: str) -> bool:
        call = await self._db.get(ScheduledCall, _named(call_id))
        return call is not None and call.workflow is None and await self._calls.resume(self._ctx, call)

    @awaited("ctx.scheduler.send_event", is_write=True)
    async def send_event(self, workflow_id: str, name: str, payload: Any = None) -> bool:
        if not isinstance(name, str) or not name:
            raise InvalidArguments("an event has a name")
        return await send_event(self._ctx, await self._db.get(ScheduledCall, _named(workflow_id)), name, payload)

    @awaited("ctx.scheduler.cancel", is_write=True)
    async def cancel(self, call_id: str) -> bool:
        call = await self._db.get(ScheduledCall, _named(call_id))
        if call is None:
            batches = await self._db.query(QueuedBatch).collect()
            call = await take_out(self._db, [batch.id for batch in batches], call_id)
        if call is not None and call.status == "running" and call.queue in (WORKFLOWS, WAITING):
            return await cancel_workflow(self._ctx, call)
        if call is None or not (call.status == "pending" or call.queue == JOBS):
            return False
        await self._db.patch(call, status="cancelled", **over(self._now, self._calls.keep))
        say(await self._calls.completion.tell(self._ctx, call, CallOutcome(status="cancelled")))
        return True


def _checked(options: CallOptions) -> CallOptions:
    """Refuse what is no option, as one that is misspelt, which would be forgotten without a word.

    Raises:
        TypeError: There is one.
    """
    unknown = sorted(options.keys() - CallOptions.__annotations__.keys())
    if unknown:
        known = ", ".join(CallOptions.__annotations__)
        raise TypeError(
            f"{', '.join(unknown)}: no option of a scheduled call; {known} are. Arguments of a path are a map"
        )
    return options


def _named(call_id: Any) -> Id[ScheduledCall]:
    """Take the id of a call.

    Raises:
        InvalidArguments: It is no text.
    """
    if not isinstance(call_id, str):
        raise InvalidArguments(f"a call is named by its id, not by {call_id!r:.80}")
    return Id(call_id)


def _when(delay: timedelta, at: int | None, now: int) -> When:
    return When.in_(delay, now) if at is None else When.given(at, now)


def _with_contexts(
    calls: Iterable[Mapping[str, Any]], contexts: Iterable[Any] | None, options: CallOptions
) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Give the arguments and the context of each call."""
    if contexts is None:
        yield from ((args, options.get("context")) for args in calls)
        return
    if options.get("context") is not None:
        raise InvalidArguments("calls have one context, or each its own")
    try:
        yield from zip(calls, contexts, strict=True)
    except ValueError:
        raise InvalidArguments("there are not as many contexts as calls") from None


def over(now: int, keep: int) -> dict[str, Any]:
    """Give the changes that every call gets when it is over; who has caused it may want to be forgotten."""
    # Removed together with others of the same minute, so that not every single one is a transaction.
    return {
        "finished_at": now,
        "planned_at": None,
        "queue": "finished",
        "due_at": (now + keep) // 60_000 * 60_000 + 60_000,
        "caused_by": None,
        "line": None,
    }


class _Apart(_Optioned):
    def __init__(self, calls: Calls, transact: ScheduleInTransaction) -> None:
        self._calls = calls
        self._transact = transact

    @awaited("ctx.scheduler.run_after")
    async def run_after(self, delay: timedelta, function: Any, /, *args: Any, **kwargs: Any) -> Id[ScheduledCall]:
        call = self._call(function, args, kwargs)
        return Id(await self._do(lambda scheduler: scheduler.run_after(delay, call.path, call.args, **call.options)))

    @awaited("ctx.scheduler.run_at")
    async def run_at(self, when: int, function: Any, /, *args: Any, **kwargs: Any) -> Id[ScheduledCall]:
        call = self._call(function, args, kwargs)
        return Id(await self._do(lambda scheduler: scheduler.run_at(when, call.path, call.args, **call.options)))

    @awaited("ctx.scheduler.run_many")
    async def run_many(
        self, function: FunctionReference, calls: Iterable[Mapping[str, Any]], *, delay: timedelta = timedelta(),
        at: int | None = None, contexts: Iterable[Any] | None = None, **options: Unpack[CallOptions],
    ) -> list[Id[ScheduledCall]]:  # fmt: skip
        given, held = list(calls), None if contexts is None else list(contexts)  # it may be done several times
        said: CallOptions = {**self._options, **options}
        ids: list[str] = await self._do(
            lambda scheduler: scheduler.run_many(function, given, delay=delay, at=at, contexts=held, **said)
        )
        return list(map(Id, ids))

    @awaited("ctx.scheduler.cancel")
    async def cancel(self, call_id: str) -> bool:
        return bool(await self._do(lambda scheduler: scheduler.cancel(call_id)))

    async def _do(self, work: Callable[[Scheduler], Any]) -> Any:
        return (await self._transact(work)).value()


tell_elsewhere(
    _Apart,
    ["run_job", "resume", "send_event"],
    "ctx.scheduler.{name} is part of a mutation's transaction: call a mutation that does it",
)
