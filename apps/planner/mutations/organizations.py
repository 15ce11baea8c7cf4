"""Organizations come, are renamed, and go with all that is theirs."""

from __future__ import annotations

from planner.access import organization_of
from planner.schema import Name, Organization, Slug, User
from synovia import Forbidden, FunctionError, Id, MutationContext, mutation, normal_email, require_identity


@mutation(signed_in=True)
async def create(ctx: MutationContext, name: Name, slug: Slug) -> Organization:
    """Set up the organization that the caller's token names; the caller is its first admin."""
    caller, db = require_identity(ctx), ctx.as_application().db  # nobody belongs to it yet who could
    if caller.email is None:
        raise Forbidden("this sign-in tells no e-mail address")
    id_ = organization_of(ctx)
    if await db.get(id_) is not None:
        raise FunctionError("already_exists", "this organization has been set up already")
    await db.insert(Organization(id=id_, name=name, slug=slug))
    email = normal_email(caller.email)
    await db.insert(User(email=email, name=caller.name or email, organization_id=id_, role="admin", auth_id=caller.key))
    return await db.patch(id_)


@mutation(role="admin")
async def update(ctx: MutationContext, organization_id: Id[Organization], name: Name) -> Organization:
    """Rename an organization."""
    return await ctx.db.patch(organization_id, name=name)


@mutation(role="admin")
async def remove(ctx: MutationContext, organization_id: Id[Organization]) -> None:
    """Delete an organization with its users, their schedules and papers."""
    await ctx.db.delete(organization_id)
