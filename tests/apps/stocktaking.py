"""An application for tests of jobs: crates that are counted, some at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from synovia import (
    CallOutcome,
    FunctionError,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    SoftDelete,
    Table,
    field,
    ge,
    job,
    mutation,
    query,
)


class Crate(SoftDelete, Table, name="crates", indexes=[Index("by_number", "number"), Index("by_labels", "labels")]):
    number: int
    counted: int = 0
    labels: list[str] = []


class Step(Table, name="steps"):
    """What was done in one step."""

    job: str
    numbers: list[int]


class Ending(Table, name="endings"):
    status: str
    context: str


FAULTY: set[int] = set()
"""The numbers of crates at which counting fails."""


@job(retry=Retry(attempts=4, first=timedelta(seconds=10), factor=1))
async def count(ctx: MutationContext, crates: list[Crate], name: str, again: int = 1) -> None:
    for crate in crates:
        if crate.number in FAULTY:
            raise FunctionError("broken_crate", f"crate {crate.number} is broken")
        await ctx.db.patch(crate, counted=crate.counted + 1)
        for _ in range(again - 1):
            await ctx.db.insert(Step(job="more", numbers=[]))
    await ctx.db.insert(Step(job=name, numbers=[crate.number for crate in crates]))


@job
async def refill(ctx: MutationContext, crates: list[Crate]) -> None:
    for crate in crates:
        await ctx.db.insert(Crate(number=crate.number + 1_000))


@job
async def fill(ctx: MutationContext, steps: list[Step]) -> None: ...


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: str, outcome: CallOutcome) -> None:
    await ctx.db.insert(Ending(status=outcome.status, context=context))


@mutation(public=True)
async def put(ctx: MutationContext, first: int, count: int) -> None:
    await ctx.db.insert_many([Crate(number=number) for number in range(first, first + count)])


@mutation(public=True)
async def remove(ctx: MutationContext, number: int) -> None:
    await ctx.db.delete_where(ctx.db.query(Crate).using("by_number", number=number))


@mutation(public=True)
async def begin(
    ctx: MutationContext, name: str = "a", first: int | None = None, down: bool = False, again: int = 1,
    at_most: int | None = None, labels: list[str] | None = None,
) -> Id[ScheduledCall]:  # fmt: skip
    crates = ctx.db.query(Crate)
    if first is not None:
        crates = crates.using("by_number", number=ge(first))
    if at_most is not None:
        crates = crates.where(field("number") <= at_most)
    if labels is not None:
        crates = crates.where(field("labels").in_(labels) & (field("counted") == 0))
    scheduler = ctx.scheduler.with_options(on_complete=ended, context=name)
    return await scheduler.run_job(count, crates.order("desc" if down else "asc"), name, again=again)


@mutation(public=True)
async def begin_refill(ctx: MutationContext) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_job(refill, ctx.db.query(Crate))


@mutation(public=True)
async def begin_badly(ctx: MutationContext, how: str) -> Any:
    crates: Any = ctx.db.query(Crate)
    match how:
        case "a mutation":
            return await ctx.scheduler.run_job("stocktaking:put", crates, {"first": 0, "count": 1})
        case "nothing":
            return await ctx.scheduler.run_job("stocktaking:cuont", crates, {"name": "a"})
        case "another table":
            return await ctx.scheduler.run_job(fill, crates)
        case "no query":
            return await ctx.scheduler.run_job("stocktaking:count", [1], {"name": "a"})  # type: ignore[call-overload]
        case "other arguments":
            return await ctx.scheduler.run_job("stocktaking:count", crates, {"nmae": "a"})
        case "no arguments":
            return await ctx.scheduler.run_job("stocktaking:count", crates)
        case "as a call":
            return await ctx.scheduler.run_after(timedelta(), "stocktaking:count", {"name": "a"})
        case "many":
            return await ctx.scheduler.run_many("stocktaking:count", [{"name": "a"}])
        case "a list":
            return await ctx.scheduler.run_job(refill, crates.using("by_labels"))
        case _:
            return await ctx.scheduler.run_job(refill, crates.using("by_nothing"))


@mutation(public=True)
async def label(ctx: MutationContext, number: int, labels: list[str]) -> None:
    await ctx.db.patch_where(ctx.db.query(Crate).using("by_number", number=number), labels=labels)


@mutation(public=True)
async def cancel(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@mutation(public=True)
async def resume(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.resume(call_id)


@query(public=True)
async def progress(ctx: QueryContext, call_id: Id[ScheduledCall]) -> dict[str, Any]:
    call = await ctx.db.get(ScheduledCall, call_id)
    assert call is not None
    told: dict[str, Any] = {"status": call.status, "attempts": call.attempts}
    if call.error is not None:
        told["error"] = call.error.code
    if call.progress is not None:
        told |= {"done": call.progress.done, "estimate": call.progress.estimate}
    return told


@query(public=True)
async def counted(ctx: QueryContext) -> dict[str, int]:
    """Tell how often each crate was counted."""
    crates = await ctx.db.query(Crate).with_deleted().collect()
    return {str(crate.number): crate.counted for crate in crates}


@query(public=True)
async def steps(ctx: QueryContext, name: str) -> list[list[int]]:
    return [step.numbers for step in await ctx.db.query(Step).collect() if step.job == name]


@query(public=True)
async def endings(ctx: QueryContext) -> list[list[str]]:
    return [[ending.context, ending.status] for ending in await ctx.db.query(Ending).collect()]
