"""Crons for tests of the scheduler, on the table of ``tally``."""

from __future__ import annotations

from datetime import timedelta

from apps.tally import add_to
from synovia import ActionContext, CronJob, FunctionError, MutationContext, QueryContext, action, cron, mutation, query


@cron(every=timedelta(minutes=5))
@mutation(internal=True)
async def tick(ctx: MutationContext) -> None:
    await add_to(ctx, "tick")


@cron(daily_at="03:00")
@action(internal=True)
async def nightly(ctx: ActionContext) -> None:
    await ctx.run_mutation("tally:add", {"name": "nightly"})


@cron("0 12 * * *", tz="Europe/Berlin")
@mutation(internal=True)
async def failing_noon(ctx: MutationContext) -> None:
    await add_to(ctx, "noon")
    raise FunctionError("no_good", "never at noon")


@query(public=True)
async def crons(ctx: QueryContext) -> list[CronJob]:
    return await ctx.db.query(CronJob).collect()
