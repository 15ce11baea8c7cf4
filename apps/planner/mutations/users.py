"""Who belongs to an organization, as its admins say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from planner.access import organization_of, require_user
from planner.schema import Name, Role, User
from synovia import FunctionError, Id, MutationContext, mutation, normal_email, require_identity


@mutation(signed_in=True)
async def arrive(ctx: MutationContext) -> User:
    """Note that the caller is this user of their organization: the audit trail names them."""
    user, key = await require_user(ctx), require_identity(ctx).key
    return user if user.auth_id == key else await ctx.as_application().db.patch(user, auth_id=key)


@mutation(role="admin")
async def invite(ctx: MutationContext, email: Annotated[str, Field(pattern=r".@.")], name: Name, role: Role) -> User:
    """Let somebody in: who signs in with this address and this organization is this user."""
    user = User(email=normal_email(email), name=name, organization_id=organization_of(ctx), role=role)
    return await ctx.db.patch(await ctx.db.insert(user))


@mutation(role="admin", name="setRole")
async def set_role(ctx: MutationContext, user_id: Id[User], role: Role) -> User:
    """Change what a user may do; one admin stays."""
    changed = await ctx.db.patch(user_id, role=role)
    await _one_admin_stays(ctx, changed)
    return changed


@mutation(role="admin")
async def remove(ctx: MutationContext, user_id: Id[User]) -> None:
    """Take a user out, with their schedules; one admin stays."""
    user = await ctx.db.patch(user_id)
    await ctx.db.delete(user)
    await _one_admin_stays(ctx, user)


async def _one_admin_stays(ctx: MutationContext, changed: User) -> None:
    users = ctx.db.query(User).using("by_organization", organization_id=changed.organization_id)
    if not any(user.role == "admin" for user in await users.take(1_000)):
        raise FunctionError("last_admin", "an organization has at least one admin")
