"""The caller's organization, who belongs to it, and what was changed in it."""

from planner.access import current_user
from planner.schema import Organization, User
from synovia import AuditEntry, Id, Page, QueryContext, query


@query(signed_in=True)
async def me(ctx: QueryContext) -> User | None:
    """Give the caller; None if the organization does not know them, or does not exist yet."""
    return await current_user(ctx)


@query(role="viewer")
async def get(ctx: QueryContext, organization_id: Id[Organization]) -> Organization | None:
    """Give an organization."""
    return await ctx.db.get(organization_id)


@query(role="viewer")
async def users(ctx: QueryContext, organization_id: Id[Organization]) -> list[User]:
    """List who belongs to an organization."""
    return await ctx.db.query(User).using("by_organization", organization_id=organization_id).take(1_000)


@query(role="admin", name="auditLogs")
async def audit_logs(
    ctx: QueryContext, organization_id: Id[Organization], cursor: str | None = None, limit: int = 50
) -> Page[AuditEntry]:
    """List an organization's changes, the newest first, with the changed fields before and after."""
    entries = ctx.db.query(AuditEntry).using("by_scope", scope=organization_id)
    return await entries.order("desc").paginate(cursor, limit)
