"""Calls that are to run once each, now or later, and a cron: every run leaves a beat."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from synovia import (
    ActionContext,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    WorkflowContext,
    action,
    cron,
    gt,
    job,
    mutation,
    query,
    workflow,
)


class Beat(Table, name="beats", indexes=[Index("by_name", "name")]):
    name: str
    at: int


@mutation(internal=True)
async def beat(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Beat(name=name, at=ctx.now))


@action(internal=True, retry=Retry(attempts=20, first=timedelta(seconds=1), factor=1))
async def beat_by_action(ctx: ActionContext, name: str) -> None:
    await ctx.run_mutation("beats:beat", {"name": name})


@cron(every=timedelta(seconds=3))
@mutation(internal=True)
async def tick(ctx: MutationContext) -> None:
    await ctx.db.insert(Beat(name="tick", at=ctx.now))


@mutation(public=True)
async def schedule(ctx: MutationContext, group: str, first: int, count: int, seconds: float, acting: bool) -> None:
    """Have so many calls run after some seconds, each with a name of its own."""
    path = "beats:beat_by_action" if acting else "beats:beat"
    for number in range(first, first + count):
        await ctx.scheduler.run_after(timedelta(seconds=seconds), path, {"name": f"{group} {number:06}"})


@mutation(public=True)
async def note_many(ctx: MutationContext, first: int, count: int) -> None:
    await ctx.db.insert_many([Beat(name=f"beat {number:06}", at=ctx.now) for number in range(first, first + count)])


@job
async def beat_again(ctx: MutationContext, beats: list[Beat]) -> None:
    """Leave another beat for each; slowly, so that there is time to be killed."""
    await asyncio.sleep(0.05)
    await ctx.db.insert_many([Beat(name=f"again {beat.name}", at=ctx.now) for beat in beats])


@mutation(public=True)
async def begin_again(ctx: MutationContext) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_job(beat_again, ctx.db.query(Beat))


@workflow
async def beat_on(ctx: WorkflowContext, name: str) -> None:
    """Leave six beats, two of them at the same time, with a rest in the middle."""
    await ctx.step(beat, f"{name} 0")
    await asyncio.gather(ctx.step(beat, f"{name} 1"), ctx.step(beat, f"{name} 2"))
    await ctx.sleep(timedelta(seconds=0.2))
    for number in (3, 4, 5):
        await ctx.step(beat, f"{name} {number}")


@mutation(public=True)
async def begin_workflows(ctx: MutationContext, count: int) -> None:
    await ctx.scheduler.run_many(beat_on, [{"name": f"workflow {number:06}"} for number in range(count)])


@query(public=True)
async def done(ctx: QueryContext) -> int:
    """Count the calls that are done."""
    return await ctx.db.query(ScheduledCall).using("by_status", status="done").count()


@query(public=True)
async def progress(ctx: QueryContext, call_id: Id[ScheduledCall]) -> tuple[str, int]:
    """Tell the status of a job, and how many documents are behind it."""
    call = await ctx.db.get(ScheduledCall, call_id)
    assert call is not None
    return call.status, 0 if call.progress is None else call.progress.done


@mutation(public=True)
async def note(ctx: MutationContext, name: str, text: str = "") -> str:
    """Leave a beat at once; ``text`` only takes space in the database."""
    await ctx.db.insert(Beat(name=name + text, at=ctx.now))
    return name


@query(public=True)
async def ran(ctx: QueryContext, name: str) -> int:
    """Tell how often what has this name has run."""
    return await ctx.db.query(Beat).using("by_name", name=name).count()


@query(public=True)
async def names(ctx: QueryContext, after: str, limit: int = 1_000) -> list[str]:
    """Give names beyond one, in order: one name as often as it has run."""
    found = ctx.db.query(Beat).using("by_name", name=gt(after)).take(limit)
    return [beat.name for beat in await found]
