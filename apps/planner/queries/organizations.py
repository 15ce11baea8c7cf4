"""The caller's organization and who belongs to it."""

from __future__ import annotations

from planner.access import current_user
from planner.schema import Organization, User
from synovia import Id, QueryContext, query


@query(role="viewer")
async def get(ctx: QueryContext, organization_id: Id[Organization]) -> Organization | None:
    """Give an organization."""
    return await ctx.db.get(organization_id)


@query(signed_in=True)
async def me(ctx: QueryContext) -> User | None:
    """Give the caller; None if the organization does not know them, or does not exist yet."""
    return await current_user(ctx)


@query(role="viewer")
async def users(ctx: QueryContext, organization_id: Id[Organization]) -> list[User]:
    """List who belongs to an organization."""
    return await ctx.db.query(User).using("by_organization", organization_id=organization_id).take(1_000)
