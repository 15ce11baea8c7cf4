"""What workflows have begun and what came of it, as rows; and the transactions of others that add to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from synovia.errors import FunctionError
from synovia.functions.conditions import field
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.scheduled_calls import (
    ENDED,
    WAITING,
    WORKFLOWS,
    CallError,
    CallOutcome,
    ScheduledCall,
    WorkflowStep,
)
from synovia.scheduler.arguments import stored, taken
from synovia.schema import Id
from synovia.transaction.footprint import footprint
from synovia_protocol.errors import ErrorCode

ASIDE = -1
"""The number of what a workflow has not begun: that it is to end, and events that it has not asked for yet."""
MOST_EVENTS = 1_000
MOST_EVENT_BYTES = 4 * 1024 * 1024
"""Of all events together that wait for one workflow, in memory: they are read whenever it goes on, or gets another."""
CANCELLED = CallError(code="step_cancelled", message="somebody has cancelled this step")


async def steps_of(ctx: MutationContext, workflow: str) -> list[WorkflowStep]:
    """Read all rows of a workflow, in the order in which it has begun them."""
    return await ctx.db.query(WorkflowStep).using("by_workflow", workflow=Id(workflow)).collect()


async def wake(ctx: MutationContext, workflow: ScheduledCall) -> None:
    """Have a workflow look at once at what has come."""
    if workflow.queue == WAITING or (workflow.queue == WORKFLOWS and workflow.due_at > ctx.now):
        await SystemWriter(ctx.db).patch(workflow, queue=WORKFLOWS, due_at=ctx.now, planned_at=ctx.now)


async def note_end(ctx: MutationContext, call: ScheduledCall, outcome: CallOutcome) -> None:
    """Note in the transaction that ends a step what came of it."""
    if call.workflow is None:
        return
    rows = ctx.db.query(WorkflowStep).using("by_workflow", workflow=call.workflow, number=call.step)
    step, workflow = await rows.unique(), await ctx.db.get(ScheduledCall, Id(call.workflow))
    if step is None or step.status != "pending" or (workflow is not None and workflow.queue == ENDED):
        return
    result, error = None, outcome.error or (CANCELLED if outcome.status == "cancelled" else None)
    try:
        result = stored({"result": outcome.result})["result"]
    except FunctionError as refused:
        error = CallError(code=refused.code, message=f"its result cannot be kept: {refused.message}")
    status = outcome.status if error is None or outcome.status != "done" else "failed"
    await SystemWriter(ctx.db).patch(step, status=status, result=result, error=error, finished_at=ctx.now)
    if workflow is not None:
        await wake(ctx, workflow)


async def cancel_workflow(ctx: MutationContext, workflow: ScheduledCall) -> bool:
    """Have a workflow end, none of whose steps begins until it has looked at that; False if it is to end already."""
    aside = ctx.db.query(WorkflowStep).using("by_workflow", workflow=Id(workflow.id), number=ASIDE)
    if await aside.where(field("kind") == "cancel").first() is not None:
        return False
    await hold(ctx, workflow.id, "cancel")
    await wake(ctx, workflow)
    return True


async def hold(ctx: MutationContext, workflow: str, kind: Literal["cancel", "end"]) -> None:
    """Have no step of a workflow begin, by one row, which has the id of the workflow: a step finds it at once, however many
    others there are."""
    id_, writer = Id[WorkflowStep](workflow), SystemWriter(ctx.db)
    if await ctx.db.get(WorkflowStep, id_) is not None:  # it was cancelled, and has gone on for a while
        await writer.patch(id_.of(WorkflowStep), status="pending")
        return
    row = WorkflowStep(
        id=id_, workflow=Id(workflow), number=ASIDE, kind=kind, name="", status="pending", finished_at=ctx.now
    )
    await writer.insert(row)


async def is_held(ctx: MutationContext, call: ScheduledCall) -> bool:
    """Tell whether a call must not begin: it is a step, and its workflow is to end, or has ended."""
    held = None if call.workflow is None else await ctx.db.get(WorkflowStep, Id(call.workflow))
    return held is not None and held.status == "pending"


async def let_go(ctx: MutationContext, workflow: str) -> None:
    """Let steps of a workflow begin again, if it begins any: what was held has been given up."""
    writer, held = SystemWriter(ctx.db), await ctx.db.get(WorkflowStep, Id(workflow))
    if held is not None and held.kind == "end":
        await writer.delete(held)
    elif held is not None and held.status == "pending":
        await writer.patch(held, status="done")


async def resume_workflow(ctx: MutationContext, workflow: ScheduledCall) -> None:
    """Have a workflow that has failed, or was cancelled, find in its next turn where it goes on."""
    await _aside(ctx, workflow, "resume", "", None)


async def send_event(ctx: MutationContext, workflow: ScheduledCall | None, name: str, payload: Any) -> bool:
    """Give an event to a workflow; False if it is over, or is none."""
    if workflow is None or workflow.queue not in (WORKFLOWS, WAITING):
        return False
    value, rows = taken({"payload": payload})[0]["payload"], ctx.db.query(WorkflowStep)
    waits = rows.using("by_news", workflow=Id(workflow.id), place=None, status="pending")
    waits = waits.where((field("kind") == "event") & (field("name") == name))
    if (waiting := await waits.first()) is not None:
        await SystemWriter(ctx.db).patch(waiting, status="done", result=value, finished_at=ctx.now)
        await wake(ctx, workflow)
    else:
        aside = rows.using("by_workflow", workflow=Id(workflow.id), number=ASIDE)
        _check_room(await aside.where(field("kind") == "kept").collect(), value)
        await _aside(ctx, workflow, "kept", name, value)
    return True


def _check_room(waiting: Sequence[WorkflowStep], value: Any) -> None:
    if len(waiting) >= MOST_EVENTS:
        raise FunctionError(ErrorCode.LIMIT_EXCEEDED, f"{MOST_EVENTS:,} events wait for this workflow already")
    if sum(footprint(each.result) for each in waiting) + footprint(value) > MOST_EVENT_BYTES:
        raise FunctionError(
            ErrorCode.LIMIT_EXCEEDED,
            f"the {len(waiting):,} events that wait for this workflow leave no room for one as large as this;"
            " let its payload name a document",
        )


async def _aside(ctx: MutationContext, workflow: ScheduledCall, kind: Any, name: str, value: Any) -> None:
    row = WorkflowStep(
        workflow=Id(workflow.id), number=ASIDE, kind=kind, name=name, status="done", result=value, finished_at=ctx.now
    )
    await SystemWriter(ctx.db).insert(row)


async def forget(ctx: MutationContext, workflow: str) -> None:
    """Remove what is known of a workflow that is over."""
    writer = SystemWriter(ctx.db)
    for each in await steps_of(ctx, workflow):
        await writer.delete(each)
