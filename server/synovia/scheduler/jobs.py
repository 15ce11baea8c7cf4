"""The steps of jobs: transactions that hand documents to a job and move the place where it goes on, both or neither."""

from __future__ import annotations

import time

from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.job import JobFunction
from synovia.functions.scheduled_calls import JOBS, CallOutcome, JobPlace, JobProgress, ScheduledCall
from synovia.functions.unreadable import UnreadableDocument
from synovia.migrations.batches import FIRST, MUCH_BYTES, BatchSize
from synovia.scheduler.arguments import from_document
from synovia.scheduler.calls import Calls, over
from synovia.scheduler.due_calls import DueCall
from synovia.scheduler.failures import Failure, error_of
from synovia.scheduler.places import query_at
from synovia.scheduler.transitions import CallTransitions, call_body, is_due, policy_of
from synovia.schema import Id
from synovia_protocol.errors import ErrorCode, ErrorInfo

LONGEST_SECONDS = 1.0
"""A step that takes so long is for fewer documents the next time, however few they were."""
_SMALLER = 4
"""A step that has failed is tried again with so many times fewer documents, so that one of them holds up the least."""


class JobTransitions:
    """The steps of jobs at one hub."""

    def __init__(self, calls: Calls, transitions: CallTransitions) -> None:
        self._calls = calls
        self._transitions = transitions

    async def step(self, ctx: MutationContext, due: DueCall, function: JobFunction) -> list[Failure]:
        """Hand the next documents to a job; after the last of them it is done."""
        call = await ctx.db.get(ScheduledCall, Id(due.id))
        if call is None or call.queue != JOBS or call.job is None or not is_due(ctx, call.due_at, due):
            return []
        query, progress = query_at(ctx, function.table, call.job), call.progress
        if progress is None:
            query, estimate = await query.until_now()
            progress = JobProgress(estimate=estimate)
        began = time.monotonic()
        part = await query.part(call.job.size)
        if part.rows:
            await call_body(function, ctx, from_document(call.args), part.rows)
        size = _next_size(call.job.size, part.documents, _written(ctx), time.monotonic() - began)
        progress = JobProgress(done=progress.done + part.passed, estimate=progress.estimate)
        if part.rest is not None:
            rest = {"low": part.rest.low, "high": part.rest.high, "size": size}
            return await self._go_on(ctx, call, call.job.model_copy(update=rest), progress)
        await SystemWriter(ctx.db).patch(
            call, status="done", progress=progress, job=None, attempts=1, error=None, **over(ctx.now, self._calls.keep)
        )
        return await self._calls.completion.tell(ctx, call, CallOutcome(status="done"))

    async def _go_on(
        self, ctx: MutationContext, call: ScheduledCall, place: JobPlace, progress: JobProgress
    ) -> list[Failure]:
        await SystemWriter(ctx.db).patch(
            call, status="running", started_at=call.started_at or ctx.now, attempts=1, error=None, progress=progress,
            job=place, hub=self._calls.hub, due_at=ctx.now, planned_at=ctx.now,
        )  # fmt: skip
        return []

    async def fail(self, ctx: MutationContext, id_: str, error: ErrorInfo) -> list[Failure]:
        """Note that a step has failed: it is tried again with fewer documents, or the job has failed where it is."""
        try:
            call = await ctx.db.get(ScheduledCall, Id(id_))
        except UnreadableDocument:  # somebody else has written into it
            return await self._transitions.fail(ctx, id_, error)
        if call is None or call.queue != JOBS or call.job is None:
            return []
        told, size = error_of(error), max(1, call.job.size // _SMALLER)
        was_too_much = told.code == ErrorCode.MUTATION_TOO_LARGE and call.job.size > 1
        tries = call.attempts if call.error is not None else 0  # of this step; that of the last one was the first
        if not was_too_much and tries + 1 >= policy_of(call).attempts:
            await SystemWriter(ctx.db).patch(call, attempts=tries + 1)
            return await self._transitions.fail(ctx, id_, error)
        at = ctx.now if was_too_much else ctx.now + policy_of(call).delay(tries + 1, ctx.random)
        await SystemWriter(ctx.db).patch(
            call, job=call.job.model_copy(update={"size": size}), due_at=at, planned_at=ctx.now, run_at=at,
            **({} if was_too_much else {"attempts": tries + 1, "error": told}),
        )  # fmt: skip
        return (
            [] if was_too_much else [Failure(path=call.path, id=call.id, error=told, attempts=tries + 1, retry_at=at)]
        )


def _next_size(size: int, documents: int, written: int, seconds: float) -> int:
    """Tell for how many documents the next step is, by what the last one took.

    One that takes long with few documents does so whatever their number is, as on a busy machine: fewer would not help.
    """
    batch = BatchSize()
    batch.documents = size
    batch.learn_of(documents, written, seconds)
    if seconds > LONGEST_SECONDS or written > MUCH_BYTES:
        return batch.documents
    return max(batch.documents, min(FIRST, 2 * size))


def _written(ctx: MutationContext) -> int:
    budget = ctx.db.transaction.budget
    return 0 if budget is None else budget.written
