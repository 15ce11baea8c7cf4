"""The transactions that move calls and crons on. Each looks first whether there is still something to do: another hub, a
cancellation or an earlier attempt may have been faster. That is all that makes a call run once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from synovia.errors import FunctionError
from synovia.functions.conditions import le
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Function, Kind
from synovia.functions.retry import ONCE, Retry
from synovia.functions.scheduled_calls import CallError, CallOutcome, CronJob, ScheduledCall, queue_of
from synovia.functions.schedules import Schedule, parse
from synovia.functions.unreadable import UnreadableDocument
from synovia.scheduler.arguments import from_document
from synovia.scheduler.batches import unpack
from synovia.scheduler.calls import Calls, When, over
from synovia.scheduler.clocks import SKEW
from synovia.scheduler.due_calls import DueCall, running_in, schedule_of
from synovia.scheduler.failures import CALL_FAILED, Failure, error_of
from synovia.scheduler.journal import forget, is_held
from synovia.scheduler.tables import QueuedBatch, QueuedCall, QueuedCron
from synovia.schema import Id, Model
from synovia_protocol.errors import ErrorInfo

SWEPT_AT_ONCE, LARGE_SWEPT_AT_ONCE = 200, 4
INTERRUPTED = ErrorInfo("interrupted", "the hub that ran it stopped or was lost; whether it did its work is not known")


class CallFailed(FunctionError):
    """A scheduled function raised an error on purpose, which nothing that the server itself raises looks like."""

    def __init__(self, error: ErrorInfo) -> None:
        super().__init__(CALL_FAILED, error.message, error.code)


class Claim(Model):
    """An action that is ours to run.

    Attributes:
        attempt: Tells this run from those before and after.
        result_is_wanted: Whether somebody is told what it gives.
    """

    attempt: int
    path: str
    args: dict[str, Any]
    result_is_wanted: bool


class Ended(Model):
    """What came of the end of an action, and of the claim of another one by the same transaction.

    Attributes:
        following: As ``CallTransitions.claim`` gives it.
        failures: What has failed; None: the action was no longer ours.
    """

    following: Claim | list[Failure]
    failures: list[Failure] | None = None


class CallTransitions:
    """The steps of one hub.

    Args:
        lease: For how many milliseconds an action belongs to the hub that runs it, unless it renews that.
    """

    def __init__(self, calls: Calls, lease: int) -> None:
        self._calls = calls
        self._lease = lease

    # --- mutations

    async def run(self, ctx: MutationContext, due: DueCall, function: Function) -> list[Failure]:
        """Run a mutation and mark its call as done, both or neither."""
        call = await ctx.db.get(ScheduledCall, Id(due.id))
        if call is None or call.status != "pending" or not is_due(ctx, call.due_at, due) or await is_held(ctx, call):
            return []
        given = await call_body(function, ctx, from_document(call.args))
        result = function.kept(given) if _result_is_wanted(call) else None
        await SystemWriter(ctx.db).patch(call, status="done", started_at=ctx.now, attempts=1, **self._over(ctx))
        return await self._calls.completion.tell(ctx, call, CallOutcome(status="done", result=result))

    async def fail(self, ctx: MutationContext, id_: str, error: ErrorInfo) -> list[Failure]:
        """Mark a call as failed for good."""
        call = await ctx.db.get(QueuedCall, Id(id_))  # whatever is in it: it may have failed for that
        if call is None or call.queue == "finished":
            return []
        told = error_of(error)
        await SystemWriter(ctx.db).patch(call, status="failed", error=told, **self._over(ctx))
        failures = [Failure(path=str(call.path), id=call.id, error=told)]
        try:
            whole = await ctx.db.get(ScheduledCall, Id(id_))
        except UnreadableDocument:  # somebody else has written into it
            return failures
        if whole is not None:
            failures += await self._calls.completion.tell(ctx, whole, CallOutcome(status="failed", error=told))
        return failures

    def _over(self, ctx: MutationContext) -> dict[str, Any]:
        return over(ctx.now, self._calls.keep)

    # --- actions

    async def claim(self, ctx: MutationContext, due: DueCall) -> Claim | list[Failure]:
        """Take an action, if it is due, or its hub has let the lease run out; else there is nothing to run."""
        call = await ctx.db.get(ScheduledCall, Id(due.id))
        if call is None or call.queue in ("mutation", "finished") or not is_due(ctx, call.due_at, due):
            return []
        if await is_held(ctx, call):
            return []
        if call.queue == "running" and call.attempts >= policy_of(call).attempts:
            return await self._end(ctx, call, INTERRUPTED)
        pool = self._calls.registry.functions[call.path].pool  # a call may be older than this
        if call.queue != "running" and not await self._has_room(ctx, pool):
            return []
        await SystemWriter(ctx.db).patch(
            call, status="running", attempts=call.attempts + 1, started_at=ctx.now, hub=self._calls.hub,
            pool=pool, queue="running", due_at=ctx.now + self._lease, planned_at=ctx.now,
        )  # fmt: skip
        return Claim(
            attempt=call.attempts + 1, path=call.path, args=from_document(call.args),
            result_is_wanted=_result_is_wanted(call),
        )  # fmt: skip

    async def _has_room(self, ctx: MutationContext, name: str | None) -> bool:
        pool = self._calls.registry.pools.get(name or "")
        return pool is None or not pool.across_hubs or await running_in(ctx, pool.name) < pool.parallelism

    async def finish(
        self, ctx: MutationContext, id_: str, attempt: int, error: ErrorInfo | None, result: Any = None
    ) -> list[Failure] | None:
        """Note how an action ended; None if it was no longer ours."""
        call = await ctx.db.get(ScheduledCall, Id(id_))
        if call is None or not self._holds(call, attempt):
            return None
        return await self._end(ctx, call, error, result)

    async def finish_and_claim(
        self, ctx: MutationContext, id_: str, attempt: int, error: ErrorInfo | None, result: Any, following: DueCall
    ) -> Ended:
        """Note how an action ended, and take the one that is to run in its place."""
        failures = await self.finish(ctx, id_, attempt, error, result)
        return Ended(following=await self.claim(ctx, following), failures=failures)

    def _holds(self, call: ScheduledCall, attempt: int) -> bool:
        return call.queue == "running" and call.hub == self._calls.hub and call.attempts == attempt

    async def _end(
        self, ctx: MutationContext, call: ScheduledCall, error: ErrorInfo | None, result: Any = None
    ) -> list[Failure]:
        told = None if error is None else error_of(error)
        if told is not None and call.attempts < policy_of(call).attempts:
            return await self._try_again(ctx, call, told, policy_of(call).delay(call.attempts, ctx.random))
        status: Literal["done", "failed"] = "done" if told is None else "failed"
        await SystemWriter(ctx.db).patch(call, status=status, error=told, **self._over(ctx))
        await _tell_cron(ctx, call, status, told)
        failures = [] if told is None else [Failure(path=call.path, id=call.id, error=told, attempts=call.attempts)]
        return failures + await self._calls.completion.tell(
            ctx, call, CallOutcome(status=status, result=result, error=told)
        )

    async def _try_again(
        self, ctx: MutationContext, call: ScheduledCall, error: CallError, delay: int
    ) -> list[Failure]:
        at = ctx.now + delay
        await SystemWriter(ctx.db).patch(
            call, status="pending", queue=queue_of(call.pool), run_at=at, due_at=at, planned_at=ctx.now, error=error
        )
        return [Failure(path=call.path, id=call.id, error=error, attempts=call.attempts, retry_at=at)]

    async def renew(self, ctx: MutationContext, held: Iterable[tuple[str, int]]) -> list[str]:
        """Keep the leases of what runs, and give the ids of calls that are no longer ours."""
        lost = []
        for id_, attempt in held:
            call = await ctx.db.get(ScheduledCall, Id(id_))
            if call is None or not self._holds(call, attempt):
                lost.append(id_)
            else:
                await SystemWriter(ctx.db).patch(call, due_at=ctx.now + self._lease, planned_at=ctx.now)
        return lost

    async def release(self, ctx: MutationContext, held: Iterable[tuple[str, int]]) -> list[Failure]:
        """Give back what runs: others may try it again at once, if its policy lets them."""
        failures: list[Failure] = []
        for id_, attempt in held:
            call = await ctx.db.get(ScheduledCall, Id(id_))
            if call is None or not self._holds(call, attempt):
                continue
            if call.attempts < policy_of(call).attempts:
                failures += await self._try_again(ctx, call, error_of(INTERRUPTED), 0)
            else:
                failures += await self._end(ctx, call, INTERRUPTED)
        return failures

    # --- crons

    async def adopt(self, ctx: MutationContext) -> None:
        """Make the crons of the database those that the application declares."""
        declared = {path: each.cron for path, each in self._calls.registry.functions.items() if each.cron is not None}
        writer = SystemWriter(ctx.db)
        for row in await ctx.db.query(QueuedCron).collect():
            if row.id not in declared:
                await writer.delete(row)
        for path, schedule in declared.items():
            await self._adopt(ctx, path, schedule)

    async def _adopt(self, ctx: MutationContext, path: str, schedule: Schedule) -> None:
        writer, text, first = SystemWriter(ctx.db), schedule.text, schedule.first(ctx.now)
        fresh = CronJob(id=Id(path), schedule=text, next_run=first, planned_at=ctx.now, hub=self._calls.hub)
        if await ctx.db.get(QueuedCron, Id(path)) is None:
            await writer.insert(fresh)
            return
        try:
            row = await ctx.db.get(CronJob, Id(path))
        except UnreadableDocument:  # somebody else has written into it
            await writer.replace(fresh)
            return
        if row is not None and row.schedule != text:
            await writer.patch(row, schedule=text, next_run=first, planned_at=ctx.now, hub=self._calls.hub)

    async def run_cron(self, ctx: MutationContext, due: DueCall, function: Function) -> None:
        """Run a cron that is due and plan its next run, both or neither; of an action, schedule the call."""
        job = await ctx.db.get(CronJob, Id(due.id))
        if job is None or not is_due(ctx, job.next_run, due):
            return
        following = self._following(ctx, job, function)
        if function.kind is Kind.MUTATION:
            await call_body(function, ctx, {})
            await self._ran(ctx, job, following, last_status="done", last_error=None)
        elif not await _unfinished(ctx, job):
            row = self._calls.call(due.path, {}, When(ctx.now, ctx.now, after=True), cron=due.path)
            call_id = await SystemWriter(ctx.db).insert(row)
            await self._ran(ctx, job, following, last_status="pending", last_error=None, last_call=call_id)
        else:
            await self._plan(ctx, job, following)

    async def fail_cron(
        self, ctx: MutationContext, due: DueCall, function: Function, error: ErrorInfo
    ) -> list[Failure]:
        """Note that a cron's run failed, and plan the next."""
        job, told = await ctx.db.get(CronJob, Id(due.id)), error_of(error)
        if job is None or not is_due(ctx, job.next_run, due):
            return []
        await self._ran(ctx, job, self._following(ctx, job, function), last_status="failed", last_error=told)
        return [Failure(path=due.path, error=told)]

    def _following(self, ctx: MutationContext, job: CronJob, function: Function) -> int:
        schedule = parse(job.schedule) if function.cron is None else schedule_of(function.cron, job.schedule)
        if job.next_run > ctx.now + SKEW:  # planned by a clock that was ahead
            return schedule.resumed(job.next_run, ctx.now)
        return schedule.following(job.next_run, ctx.now)

    async def _ran(self, ctx: MutationContext, job: CronJob, following: int, **changes: Any) -> None:
        await self._plan(ctx, job, following, last_run=ctx.now, **changes)

    async def _plan(self, ctx: MutationContext, job: CronJob, following: int, **changes: Any) -> None:
        await SystemWriter(ctx.db).patch(job, next_run=following, planned_at=ctx.now, hub=self._calls.hub, **changes)

    # --- batches

    async def unpack(self, ctx: MutationContext, id_: str) -> list[Failure]:
        """Make rows of the calls of a batch."""
        await unpack(SystemWriter(ctx.db), id_)
        return []

    async def fail_batch(self, ctx: MutationContext, id_: str, error: ErrorInfo) -> list[Failure]:
        """Leave a batch aside that cannot be read: somebody else has written into it."""
        batch = await ctx.db.get(QueuedBatch, Id(id_))
        if batch is None or batch.due_at is None:
            return []
        await SystemWriter(ctx.db).patch(batch, due_at=None, line=None)
        return [Failure(path=str(batch.path), id=batch.id, error=error_of(error))]

    # --- what is over

    async def sweep(self, ctx: MutationContext) -> None:
        """Remove calls that have been kept long enough."""
        calls, old = ctx.db.query(QueuedCall), list[QueuedCall]()
        for large, most in ((None, SWEPT_AT_ONCE), (True, LARGE_SWEPT_AT_ONCE)):
            old += await calls.using("by_queue", queue="finished", large=large, due_at=le(ctx.now)).take(most)
        for call in old:
            if call.path not in self._calls.registry.functions:
                await forget(ctx, call.id)
            await SystemWriter(ctx.db).delete(call)


def _result_is_wanted(call: ScheduledCall) -> bool:
    return call.on_complete is not None or call.workflow is not None


def is_due(ctx: MutationContext, due_at: int, due: DueCall) -> bool:
    """Tell whether something is still to be done: its time has come, or is what the hub has judged to be due."""
    return due_at <= ctx.now or due_at == due.due_at


async def call_body(function: Function, ctx: MutationContext, args: dict[str, Any], *handed: Any) -> Any:
    """Call a function with wire values.

    Raises:
        CallFailed: It has raised an error on purpose.
    """
    try:
        return function.check(await function.body(ctx, *handed, **function.validate(args)))
    except FunctionError as error:
        raise CallFailed(error.info) from error


def policy_of(call: ScheduledCall) -> Retry:
    """Tell how often a call is tried again."""
    times = call.retry
    if times is None:
        return ONCE
    first, limit = timedelta(milliseconds=times.first), timedelta(milliseconds=times.limit)
    return Retry(times.attempts, first, times.factor, limit)


async def _unfinished(ctx: MutationContext, job: CronJob) -> bool:
    call = None if job.last_call is None else await ctx.db.get(ScheduledCall, job.last_call)
    return call is not None and call.status in ("pending", "running")


async def _tell_cron(ctx: MutationContext, call: ScheduledCall, status: Any, error: CallError | None) -> None:
    job = None if call.cron is None else await ctx.db.get(CronJob, Id(call.cron))
    if job is not None and job.last_call == call.id:
        await SystemWriter(ctx.db).patch(job, last_status=status, last_error=error)
