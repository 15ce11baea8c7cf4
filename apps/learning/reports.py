"""Reports that stay live: each commit moves them by what it changes."""

from learning.access import require_member
from learning.schema import CourseEnrollment, MemberInterest, SupportTicket
from synovia import Model, QueryContext, between, query

DAY = 86_400_000
AGES = (1, 3, 7, 30)
"""In days: the ages at which a new group of open tickets begins."""


class Count(Model):
    """How many there are of something, by the ids or words that tell it."""

    of: list[str]
    count: int


@query(capability="reports.see")
async def enrolments(ctx: QueryContext) -> list[Count]:
    """Count enrolments by course and status."""
    groups = await ctx.db.query(CourseEnrollment).group_by("course_id", "status").count()
    return [Count(of=[str(each) for each in group], count=number) for group, number in groups.items()]


@query(capability="reports.see")
async def interests(ctx: QueryContext) -> list[Count]:
    """Count members by the category that they are interested in."""
    groups = await ctx.db.query(MemberInterest).group_by("category_id").count()
    return [Count(of=[str(category)], count=number) for category, number in groups.items()]


@query(capability="reports.see", name="openTickets")
async def open_tickets(ctx: QueryContext) -> list[Count]:
    """Count open tickets by their age in days, brought up to date each quarter of an hour."""
    tenant, quarter = (await require_member(ctx)).tenant_id, 900_000
    now = ctx.now - ctx.now % quarter + quarter
    ctx.hold_until(now)
    tickets, counts = ctx.db.query(SupportTicket), []
    for young, old in zip((0, *AGES), (*AGES, None), strict=True):
        made = between(0 if old is None else now - old * DAY, now - young * DAY)
        open_ones = tickets.using("by_status", tenant_id=tenant, status="open", created_at=made)
        counts.append(Count(of=[f"{young}+" if old is None else f"{young}-{old}"], count=await open_ones.count()))
    return counts
