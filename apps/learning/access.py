"""Who belongs where, and the matrix of capabilities, which admins read in the application."""

from learning.schema import COURSES, EVENTS, OWN, MemberProfile, Role, SupportTicket, SupportTicketMessage, Tenant, User
from synovia import (
    Condition,
    Forbidden,
    QueryContext,
    RuleContext,
    allow_write,
    field,
    may_read,
    may_write,
    normal_email,
    roles,
)

MATRIX: dict[str, set[str]] = {
    "member": {"learn", "tickets.open"},
    "teacher": {"learn", "tickets.open", "courses.create", "courses.enrol", "events.plan", "reports.see"},
    "supporter": {"learn", "tickets.open", "tickets.answer", "reports.see"},
    "admin": {
        "learn",
        "courses.create",
        "courses.enrol",
        "events.plan",
        "members.manage",
        "tickets.answer",
        "reports.see",
    },
}


async def current_user(ctx: QueryContext) -> User | None:
    """Find the caller among the users of the tenant that their token names."""
    caller = ctx.identity
    if caller is None or caller.email is None or not isinstance(tenant := caller.claims.get("tenantId"), str):
        return None
    users = ctx.db.query(User).using("by_email", tenant_id=tenant, email=normal_email(caller.email))
    return await users.unique()


async def current_member(ctx: QueryContext) -> MemberProfile | None:
    """Find the caller's profile."""
    user = await current_user(ctx)
    return None if user is None else await ctx.db.query(MemberProfile).using("by_user", user_id=user.id).unique()


async def require_member(ctx: QueryContext) -> MemberProfile:
    """Give the caller's profile, or say that there is none."""
    member = await current_member(ctx)
    if member is None:
        raise Forbidden("you are no member of this tenant")
    return member


@roles(MATRIX)
async def roles_of(ctx: QueryContext) -> Role | None:
    """Give a caller's role."""
    user = await current_user(ctx)
    return None if user is None else user.role


@may_read(User, MemberProfile, *COURSES, *EVENTS, *OWN, SupportTicket, SupportTicketMessage)
async def own_tenant(ctx: RuleContext) -> Condition | bool:
    """Show what belongs to the caller's tenant."""
    user = await current_user(ctx)
    return user is not None and field("tenant_id") == user.tenant_id


@may_read(Tenant)
async def the_tenant_itself(ctx: RuleContext) -> Condition | bool:
    """Show the caller's tenant."""
    user = await current_user(ctx)
    return user is not None and field("id") == user.tenant_id


@may_read(SupportTicket)
async def own_tickets(ctx: RuleContext) -> Condition | bool:
    """Show members their own tickets, and all of them to who sees reports."""
    if "reports.see" in await ctx.capabilities():
        return True
    member = await current_member(ctx)
    return member is not None and field("member_id") == member.id


@may_read(SupportTicketMessage)
async def of_tickets_that_are_seen(ctx: RuleContext, row: SupportTicketMessage) -> bool:
    """Show what was said about a ticket to whom the ticket is shown."""
    return await ctx.db.visible.get(row.ticket_id) is not None


allow_write(*COURSES, capability="courses.create")
allow_write(*EVENTS, capability="events.plan")
allow_write(Tenant, User, MemberProfile, capability="members.manage")


@may_write(*OWN)
async def own_or_enrolled_by_others(ctx: RuleContext) -> Condition | bool:
    """Let members enrol themselves, and some others everybody."""
    member = await current_member(ctx)
    return "courses.enrol" in await ctx.capabilities() or (member is not None and field("member_id") == member.id)


@may_write(SupportTicket, SupportTicketMessage)
async def own_or_answered(ctx: RuleContext) -> Condition | bool:
    """Let members write to their own tickets, and some others to all."""
    member = await current_member(ctx)
    return "tickets.answer" in await ctx.capabilities() or (member is not None and field("member_id") == member.id)
