"""An application that is told when its scheduled calls are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from apps import pooled
from synovia import (
    ActionContext,
    Array,
    CallOutcome,
    FunctionError,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    mutation,
    query,
)


class Told(Table, name="told"):
    who: str
    call_id: str
    context: Any = None
    outcome: dict[str, Any]
    status: str
    trusted: bool


class Work(Table, name="work", indexes=[Index("by_name", "name")]):
    name: str


async def note(ctx: MutationContext, who: str, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    call = await ctx.db.get(ScheduledCall, call_id)
    assert call is not None
    await ctx.db.insert(
        Told(
            who=who,
            call_id=call_id,
            context=context,
            outcome=outcome.model_dump(exclude_none=True),
            status=call.status,
            trusted=ctx.trusted and ctx.identity is None,
        )
    )


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await note(ctx, "ended", call_id, context, outcome)


@mutation(internal=True)
async def failed(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await note(ctx, "failed", call_id, context, outcome)


@mutation(internal=True)
async def refuses(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await note(ctx, "refuses", call_id, context, outcome)
    raise FunctionError("no_thanks", "do not tell me")


@mutation(internal=True)
async def looks_up(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await ctx.db.query(Work).using("by_name", name="x").collect()


@mutation(internal=True)
async def breaks(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await note(ctx, "breaks", call_id, context, outcome)
    raise RuntimeError("broken")


@mutation(internal=True)
async def forgets(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    ctx.db.insert(Work(name="lost"))  # type: ignore[unused-coroutine]


@mutation(internal=True)
async def takes_a_name(ctx: MutationContext, call_id: Id[ScheduledCall], context: str, outcome: CallOutcome) -> None:
    await note(ctx, "takes_a_name", call_id, context, outcome)


@mutation(internal=True)
async def chain(ctx: MutationContext, call_id: Id[ScheduledCall], context: int, outcome: CallOutcome) -> None:
    """Schedule the next one until there are enough."""
    if context > 0:
        await ctx.scheduler.run_after(
            timedelta(seconds=1),
            "telling:work",
            {"name": f"{context}"},
            on_complete="telling:chain",
            context=context - 1,
        )


@mutation(public=True)
async def open_to_all(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None: ...


@mutation(internal=True)
async def work(ctx: MutationContext, name: str) -> dict[str, Any]:
    await ctx.db.insert(Work(name=name))
    return {"name": name, "nothing": None, "at": [1, 2.5]}


@mutation(internal=True)
async def fail(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Work(name=name))
    raise FunctionError("no_good", name)


@mutation(internal=True)
async def work_for_a_set(ctx: MutationContext, name: str) -> Any:
    await ctx.db.insert(Work(name=name))
    return {name}


@action(internal=True)
async def act_for_a_set(ctx: ActionContext, name: str) -> Any:
    return {name}


@action(internal=True)
async def act(ctx: ActionContext, name: str) -> Array:
    await ctx.run_mutation("telling:work", {"name": name})
    return await ctx.arrays.write(np.arange(4.0))


@action(internal=True, retry=Retry(attempts=2, first=timedelta(seconds=10)))
async def act_in_vain(ctx: ActionContext, name: str) -> None:
    raise FunctionError("not_yet", name)


@action(internal=True)
async def act_slowly(ctx: ActionContext, name: str) -> None:
    await pooled.WATCH[-1].pass_through(name)


@mutation(public=True)
async def plan(
    ctx: MutationContext,
    path: str,
    on_complete: str | None = None,
    on_failure: str | None = None,
    context: Any = None,
    seconds: int = 0,
) -> str:
    return await ctx.scheduler.run_after(
        timedelta(seconds=seconds), path, {"name": "x"}, on_complete=on_complete, on_failure=on_failure, context=context
    )


@action(public=True)
async def plan_by_action(ctx: ActionContext) -> str:
    return await ctx.scheduler.run_at(
        0, "telling:work", {"name": "x"}, on_complete="telling:ended", context="by action"
    )


@mutation(signed_in=True)
async def cancel(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@query(public=True)
async def told(ctx: QueryContext) -> list[Told]:
    return await ctx.db.query(Told).collect()


@query(public=True)
async def worked(ctx: QueryContext) -> list[str]:
    return [work.name for work in await ctx.db.query(Work).collect()]


@query(public=True)
async def call(ctx: QueryContext, call_id: str) -> ScheduledCall | None:
    return await ctx.db.get(ScheduledCall, Id(call_id))
