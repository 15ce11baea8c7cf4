"""Who belongs where, and who may do what: every rule of planner, held by ``ctx.db``."""

from planner.schema import Organization, Role, Schedule, User
from synovia import (
    AuditEntry,
    Condition,
    Forbidden,
    Id,
    QueryContext,
    RuleContext,
    allow_write,
    field,
    may_read,
    normal_email,
    require_identity,
    roles,
)

LADDER: tuple[Role, ...] = ("viewer", "member", "admin")


def organization_of(ctx: QueryContext) -> Id[Organization]:
    """Give the organization that the caller's token names."""
    claim = require_identity(ctx).claims.get("organizationId")
    if not isinstance(claim, str) or not claim or any(map(str.isspace, claim)):
        raise Forbidden("this sign-in names no organization")
    return Id[Organization](claim)


async def current_user(ctx: QueryContext) -> User | None:
    """Find the caller in their organization, by the address that their issuer has verified."""
    if ctx.identity is None or ctx.identity.email is None:
        return None
    email = normal_email(ctx.identity.email)
    users = ctx.db.query(User).using("by_organization", organization_id=organization_of(ctx), email=email)
    return await users.unique()


@roles({"viewer": {"look"}, "member": {"plan"}, "admin": {"manage"}})
async def roles_of(ctx: QueryContext) -> tuple[Role, ...]:
    """Give a caller's role and those below it."""
    user = await current_user(ctx)
    return () if user is None else LADDER[: LADDER.index(user.role) + 1]


@may_read(User, Schedule)
async def own_organization(ctx: RuleContext) -> Condition | bool:
    """Show what belongs to the caller's organization."""
    user = await current_user(ctx)
    return user is not None and field("organization_id") == user.organization_id


@may_read(Organization)
async def the_organization_itself(ctx: RuleContext) -> Condition | bool:
    """Show the caller's organization."""
    user = await current_user(ctx)
    return user is not None and field("id") == user.organization_id


@may_read(AuditEntry)
async def changes_for_admins(ctx: RuleContext) -> Condition | bool:
    """Show an organization's admins what was changed in it."""
    user = await current_user(ctx)
    return user is not None and user.role == "admin" and field("scope") == user.organization_id


allow_write(Schedule, capability="plan")
allow_write(Organization, User, capability="manage")
