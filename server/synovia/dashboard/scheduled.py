"""``_system/calls``: the calls to come, and those that are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, Literal

from synovia.dashboard.declaring import mutation, query
from synovia.dashboard.values import SEALED, as_json, shown
from synovia.errors import InvalidArguments, NotFound, SchemaError
from synovia.functions.conditions import field, ge
from synovia.functions.context import MutationContext, QueryContext
from synovia.functions.function import Function
from synovia.functions.registry import Registry
from synovia.functions.scheduled_calls import WAITING, WORKFLOWS, CronJob, ScheduledCall, WorkflowStep
from synovia.functions.schedules import parse
from synovia.functions.workflow import WorkflowFunction
from synovia.scheduler.arguments import from_document
from synovia.schema import Id, Model

MOST_SHOWN: Final = 500
MOST_WITH_STEPS: Final = 100
"""So many workflows are shown with how far they are."""
State = Literal["pending", "running", "failed", "done", "cancelled"]


class ScheduledShown(Model):
    """A call that was scheduled; times are in milliseconds since 1970.

    Attributes:
        arguments: As JSON; not where there are keys of encrypted fields, as they may hold the like.
        reference: Of what it failed with; the log may have its traceback.
        done, estimate: Of a job: so many documents are behind it, of about so many; of a workflow that runs: so many steps
            are over, of those that it has begun.
        is_job: Whether it is a job or a workflow: it can be cancelled while it runs, too, and goes on where it stopped.
    """

    id: str
    path: str
    arguments: str
    status: str
    run_at: int
    attempts: int
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    code: str | None = None
    message: str | None = None
    reference: str | None = None
    cron: str | None = None
    pool: str | None = None
    hub: str
    done: int | None = None
    estimate: int | None = None
    unit: Literal["documents", "steps"] | None = None
    is_job: bool = False


class CronShown(Model):
    """A cron."""

    path: str
    schedule: str
    next_run: int
    last_run: int | None = None
    last_status: str | None = None
    message: str | None = None


class ScheduledFunctions:
    """Reads, retries and cancels calls to come."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("calls:list", self.listed)
        yield query("calls:crons", self.crons)
        yield mutation("calls:cancel", self.cancel)
        yield mutation("calls:retry", self.retry)

    async def listed(self, ctx: QueryContext, status: State = "pending", limit: int = 200) -> list[ScheduledShown]:
        """List calls: those that wait with the next one first, others with the newest first."""
        calls = ctx.db.query(ScheduledCall).using("by_status", status=status)
        rows = await calls.order("asc" if status == "pending" else "desc").take(max(1, min(limit, MOST_SHOWN)))
        sealed = ctx.db.transaction.keyring is not None
        under_way = [row for row in rows if row.queue in (WORKFLOWS, WAITING)][:MOST_WITH_STEPS]
        steps = {row.id: await _steps(ctx, row) for row in under_way}
        return [
            _shown(row, sealed=sealed, is_workflow=self._goes_on(row)).model_copy(update=steps.get(row.id, {}))
            for row in rows
        ]

    def _goes_on(self, row: ScheduledCall) -> bool:
        """Tell whether it is a workflow that is resumed by itself, or runs."""
        is_workflow = isinstance(self._registry.scheduled(row.path), WorkflowFunction)
        return row.queue in (WORKFLOWS, WAITING) or (is_workflow and row.workflow is None)

    async def crons(self, ctx: QueryContext) -> list[CronShown]:
        """List what is run by itself, the next one first."""
        rows = await ctx.db.query(CronJob).using("by_next_run").take(MOST_SHOWN)
        return [
            CronShown(
                path=row.id, schedule=_in_words(row.schedule), next_run=row.next_run, last_run=row.last_run,
                last_status=row.last_status, message=None if row.last_error is None else row.last_error.message,
            )
            for row in rows
        ]  # fmt: skip

    async def cancel(self, ctx: MutationContext, id: str) -> bool:
        """Cancel a call that waits; tell whether it still did."""
        done = await ctx.scheduler.cancel(id)
        await ctx.audit("operator.cancel", subject=id, data={"cancelled": done})
        return done

    async def retry(self, ctx: MutationContext, id: str) -> str:
        """Schedule a call that is over once more, with the same arguments, for now; give the id of the new one.

        A job or a workflow that has failed, or was cancelled, goes on where it stopped, as the same call.
        """
        call = await ctx.db.get(ScheduledCall, Id(id))
        if call is None:
            raise NotFound("this call is not kept any more")
        if call.status not in ("failed", "cancelled", "done"):
            raise InvalidArguments(f"this call is {call.status}: it is not over")
        if await ctx.scheduler.resume(id):
            await ctx.audit("operator.retry", subject=id, data={"call": id})
            return id
        told: dict[str, Any] = {}
        if call.on_complete is not None or call.on_failure is not None:
            context = from_document({"context": call.context})["context"]
            told = {"on_complete": call.on_complete, "on_failure": call.on_failure, "context": context}
        new = await ctx.scheduler.run_after(timedelta(), call.path, from_document(call.args), **told)
        await ctx.audit("operator.retry", subject=id, data={"call": str(new)})
        return str(new)


def _in_words(schedule: str) -> str:
    try:
        return str(parse(schedule))
    except SchemaError:  # somebody else has written it
        return schedule


async def _steps(ctx: QueryContext, workflow: ScheduledCall) -> dict[str, Any]:
    """Count the steps of a workflow that runs, as ``ScheduledShown`` has them."""
    begun = ctx.db.query(WorkflowStep).using("by_workflow", workflow=workflow.id, number=ge(0))
    over = await begun.where(field("status") != "pending").count()
    return {"unit": "steps", "estimate": await begun.count(), "done": over}


def _shown(row: ScheduledCall, *, sealed: bool, is_workflow: bool) -> ScheduledShown:
    error, progress, arguments = row.error, row.progress, SEALED if sealed else shown(row.args)
    return ScheduledShown(
        id=row.id, path=row.path, arguments=as_json(arguments), status=row.status, run_at=row.run_at,
        attempts=row.attempts, created_at=row.created_at, started_at=row.started_at, finished_at=row.finished_at,
        code=None if error is None else error.code, message=None if error is None else error.message,
        reference=None if error is None else error.reference, cron=row.cron, pool=row.pool, hub=row.hub,
        done=None if progress is None else progress.done, estimate=None if progress is None else progress.estimate,
        unit=None if progress is None else "documents",
        is_job=row.job is not None or progress is not None or is_workflow,
    )  # fmt: skip
