"""Schedules are made, changed, deleted softly and restored; several at once, or none of them."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from planner.access import current_user
from planner.schema import PAPERS, Name, Plan, Schedule, Status
from synovia import Forbidden, Id, MutationContext, Upload, cron, mutation


@mutation(role="member")
async def create(ctx: MutationContext, plans: Annotated[list[Plan], Field(max_length=500)]) -> list[Schedule]:
    """Make schedules of the caller's, all of them or none."""
    me = await current_user(ctx)
    if me is None:
        raise Forbidden("a schedule is somebody's")
    rows = [Schedule(organization_id=me.organization_id, user_id=me.id, **dict(plan)) for plan in plans]
    return [await ctx.db.patch(id_) for id_ in await ctx.db.insert_many(rows)]


@mutation(role="member")
async def update(
    ctx: MutationContext, schedule_id: Id[Schedule], title: Name | None = None, description: str | None = None,
    start_date: int | None = None, end_date: int | None = None, status: Status | None = None,
) -> Schedule:  # fmt: skip
    """Change what is given of a schedule."""
    given = {
        "title": title, "description": description, "start_date": start_date, "end_date": end_date, "status": status,
    }  # fmt: skip
    return await ctx.db.patch(schedule_id, **{name: value for name, value in given.items() if value is not None})


@mutation(role="member")
async def attach(ctx: MutationContext, schedule_id: Id[Schedule], paper: Annotated[Upload, PAPERS]) -> Schedule:
    """Put a paper to a schedule, in the place of the one it had."""
    return await ctx.db.patch(schedule_id, paper=await ctx.files.accept(paper))


@mutation(role="member")
async def remove(ctx: MutationContext, schedule_ids: Annotated[list[Id[Schedule]], Field(max_length=500)]) -> None:
    """Delete schedules, all of them or none; they can be restored for 30 days."""
    for schedule_id in schedule_ids:
        await ctx.db.delete(schedule_id)


@mutation(role="member")
async def restore(ctx: MutationContext, schedule_id: Id[Schedule]) -> Schedule:
    """Bring a deleted schedule back."""
    return await ctx.db.restore(schedule_id)


@cron(daily_at="03:00")
@mutation(internal=True)
async def purge(ctx: MutationContext) -> None:
    """Forget what was deleted 30 days ago."""
    if await ctx.db.purge(Schedule, older_than=timedelta(days=30)) == 500:
        await ctx.scheduler.run_after(timedelta(), purge)
