"""Schedules, live."""

from planner.schema import Organization, Schedule, User
from synovia import Id, Page, QueryContext, field, gt, query


@query(role="viewer")
async def get(ctx: QueryContext, schedule_id: Id[Schedule]) -> Schedule | None:
    """Give a schedule."""
    return await ctx.db.get(schedule_id)


@query(role="viewer", name="getByOrganization")
async def get_by_organization(
    ctx: QueryContext, organization_id: Id[Organization], cursor: str | None = None, limit: int = 50
) -> Page[Schedule]:
    """List an organization's schedules, the newest first."""
    schedules = ctx.db.query(Schedule).using("by_organization", organization_id=organization_id)
    return await schedules.order("desc").paginate(cursor, limit)


@query(role="viewer", name="getByUser")
async def get_by_user(ctx: QueryContext, user_id: Id[User]) -> list[Schedule]:
    """List one user's schedules, the newest first."""
    return await ctx.db.query(Schedule).using("by_user", user_id=user_id).order("desc").take(2_000)


@query(role="viewer")
async def active(ctx: QueryContext, organization_id: Id[Organization]) -> list[Schedule]:
    """List an organization's active schedules."""
    schedules = ctx.db.query(Schedule)
    return await schedules.using("by_organization_status", organization_id=organization_id, status="active").take(2_000)


@query(role="viewer")
async def calendar(ctx: QueryContext, organization_id: Id[Organization], start: int, end: int) -> list[Schedule]:
    """List what takes place between two times, by its end."""
    later = ctx.db.query(Schedule).using("by_organization_end", organization_id=organization_id, end_date=gt(start))
    return await later.where(field("start_date") < end).take(2_000)


@query(role="viewer")
async def search(ctx: QueryContext, organization_id: Id[Organization], text: str) -> list[Schedule]:
    """List the schedules that have all of some words, those that fit best first; the last word may be a beginning."""
    return await ctx.db.query(Schedule).search("by_words", text, organization_id=organization_id).take(50)


@query(role="member")
async def deleted(ctx: QueryContext, organization_id: Id[Organization]) -> list[Schedule]:
    """List what can be restored, the newest first."""
    schedules = ctx.db.query(Schedule).using("by_organization", organization_id=organization_id).with_deleted()
    return await schedules.where(field("deleted_at") != None).order("desc").take(100)  # noqa: E711


@query(role="viewer")
async def paper(ctx: QueryContext, schedule_id: Id[Schedule]) -> str | None:
    """Give the address of a schedule's paper."""
    schedule = await ctx.db.get(schedule_id)
    return None if schedule is None or schedule.paper is None else ctx.files.url(schedule.paper)
