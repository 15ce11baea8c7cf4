"""An application that schedules many calls at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from synovia import (
    ActionContext,
    Array,
    CallOutcome,
    FunctionError,
    Id,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    mutation,
    query,
)


class Mark(Table, name="marks"):
    number: int


class End(Table, name="ends"):
    context: Any = None
    status: str


@mutation(internal=True)
async def mark(ctx: MutationContext, number: int, padding: str = "") -> None:
    await ctx.db.insert(Mark(number=number))


@action(internal=True, retry=Retry(attempts=2, first=timedelta(seconds=1)))
async def mark_by_action(ctx: ActionContext, number: int) -> None:
    await ctx.run_mutation("many:mark", {"number": number})


@mutation(internal=True)
async def measure(ctx: MutationContext, samples: Array) -> None:
    await ctx.db.insert(Mark(number=samples.length))


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: int, outcome: CallOutcome) -> None:
    await ctx.db.insert(End(context=context, status=outcome.status))


@mutation(public=True)
async def plan(
    ctx: MutationContext,
    count: int,
    path: str = "many:mark",
    seconds: int = 0,
    padding: int = 0,
    told: bool = False,
    fails: bool = False,
) -> list[str]:
    calls = [{"number": number, **({"padding": "x" * padding} if padding else {})} for number in range(count)]
    ids = await ctx.scheduler.run_many(
        path,
        calls,
        delay=timedelta(seconds=seconds),
        contexts=range(count) if told else None,
        on_complete="many:ended" if told else None,
    )
    if fails:
        raise FunctionError("changed_my_mind", "roll everything back")
    return list(ids)


@mutation(public=True)
async def plan_any(ctx: MutationContext, path: str, calls: list[Any], contexts: list[Any] | None = None) -> list[str]:
    return list(await ctx.scheduler.run_many(path, calls, contexts=contexts, on_complete="many:ended", context=None))


@mutation(public=True)
async def plan_at(ctx: MutationContext, at: int, count: int) -> list[str]:
    return list(await ctx.scheduler.run_many("many:mark", ({"number": n} for n in range(count)), at=at))


@action(public=True)
async def plan_by_action(ctx: ActionContext, count: int) -> list[str]:
    return list(await ctx.scheduler.run_many("many:mark_by_action", ({"number": n} for n in range(count))))


@mutation(public=True)
async def plan_arrays(ctx: MutationContext, samples: list[Array]) -> None:
    await ctx.scheduler.run_many("many:measure", [{"samples": each} for each in samples], delay=timedelta(days=3))


@mutation(public=True)
async def plan_and_cancel(ctx: MutationContext, count: int) -> list[bool]:
    ids = await ctx.scheduler.run_many("many:mark", [{"number": number} for number in range(count)])
    return [await ctx.scheduler.cancel(each) for each in ids[::2]]


@mutation(public=True)
async def cancel(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@query(public=True)
async def marks(ctx: QueryContext) -> list[int]:
    return [mark.number for mark in await ctx.db.query(Mark).collect()]


@query(public=True)
async def count(ctx: QueryContext) -> int:
    return await ctx.db.query(Mark).count()


@query(public=True)
async def ends(ctx: QueryContext) -> list[End]:
    return await ctx.db.query(End).collect()


@query(public=True)
async def how_many(ctx: QueryContext, status: str) -> int:
    return await ctx.db.query(ScheduledCall).using("by_status", status=status).count()


@query(public=True)
async def call(ctx: QueryContext, call_id: str) -> ScheduledCall | None:
    return await ctx.db.get(ScheduledCall, Id(call_id))
