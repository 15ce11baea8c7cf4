"""An application whose scheduled calls leave a document each time they are run; served by several hubs at once."""

from __future__ import annotations

from datetime import timedelta

from synovia import (
    ActionContext,
    CallOutcome,
    CronJob,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    cron,
    mutation,
    query,
)


class Run(Table, name="runs", indexes=[Index("by_name", "name")]):
    name: str
    at: int


class End(Table, name="ends"):
    name: str
    status: str


@mutation(internal=True)
async def leave(ctx: MutationContext, name: str) -> None:
    runs = await ctx.db.query(Run).using("by_name", name=name).count()
    await ctx.db.insert(Run(name=name if runs == 0 else f"{name} again", at=ctx.now))


@action(internal=True, retry=Retry(attempts=20, first=timedelta(milliseconds=100), factor=1))
async def leave_by_action(ctx: ActionContext, name: str) -> None:
    await ctx.run_mutation("racing:leave", {"name": name})


@mutation(internal=True)
async def told(ctx: MutationContext, call_id: Id[ScheduledCall], context: str, outcome: CallOutcome) -> None:
    """Leave a document each time that a call is said to be over."""
    await ctx.db.insert(End(name=context, status=outcome.status))


@mutation(public=True)
async def plan(ctx: MutationContext, path: str, first: int, count: int, milliseconds: int) -> None:
    for number in range(count):
        delay = timedelta(milliseconds=milliseconds * number / count)
        name = f"{path} {first + number}"
        await ctx.scheduler.run_after(delay, path, {"name": name}, on_complete="racing:told", context=name)


@cron(every=timedelta(seconds=1))
@mutation(internal=True)
async def tick(ctx: MutationContext) -> None:
    await ctx.db.insert(Run(name="tick", at=ctx.now))


@query(public=True)
async def progress(ctx: QueryContext) -> dict[str, int]:
    """Tell how many calls are in each state, and how often the cron ran."""
    found = {"tick": await ctx.db.query(Run).using("by_name", name="tick").count()}
    for status in ("pending", "running", "done", "failed"):
        found[status] = await ctx.db.query(ScheduledCall).using("by_status", status=status).count()
    return found


@query(public=True)
async def beat(ctx: QueryContext) -> int:
    """Tell when the cron runs next."""
    job = await ctx.db.get(CronJob, Id("racing:tick"))
    assert job is not None
    return job.next_run


@query(public=True)
async def ends(ctx: QueryContext) -> list[End]:
    return await ctx.db.query(End).collect()


@query(public=True)
async def runs(ctx: QueryContext) -> list[Run]:
    return await ctx.db.query(Run).collect()
