"""Organizations come, are renamed, and go with all that is theirs; their admins say who belongs to them."""

from planner.access import current_user, organization_of
from planner.schema import Name, Organization, Role, Slug, User
from synovia import Forbidden, FunctionError, Id, MutationContext, mutation, normal_email, require_identity


@mutation(signed_in=True)
async def create(ctx: MutationContext, name: Name, slug: Slug) -> Organization:
    """Set up the organization that the caller's token names; the caller is its first admin."""
    caller, db, id_ = require_identity(ctx), ctx.as_application().db, organization_of(ctx)
    if caller.email is None:
        raise Forbidden("this sign-in tells no e-mail address")
    email, who = normal_email(caller.email), caller.name or caller.email
    await db.insert(
        Organization(id=id_, name=name, slug=slug)
    )  # by the application: nobody belongs to it yet who could
    await db.insert(User(email=email, name=who, organization_id=id_, role="admin", auth_id=caller.key))
    return await db.patch(id_)


@mutation(role="admin")
async def update(ctx: MutationContext, organization_id: Id[Organization], name: Name) -> Organization:
    """Rename an organization."""
    return await ctx.db.patch(organization_id, name=name)


@mutation(role="admin")
async def remove(ctx: MutationContext, organization_id: Id[Organization]) -> None:
    """Delete an organization with its users, their schedules and papers."""
    await ctx.db.delete(organization_id)


@mutation(signed_in=True)
async def arrive(ctx: MutationContext) -> None:
    """Note which identity the caller has: by that, the audit trail knows them."""
    user, key = await current_user(ctx), require_identity(ctx).key
    if user is not None:
        await ctx.as_application().db.patch(user, auth_id=key)


@mutation(role="admin")
async def invite(ctx: MutationContext, email: str, name: Name, role: Role) -> User:
    """Let somebody in: who signs in with this address and this organization is this user."""
    user = User(email=normal_email(email), name=name, organization_id=organization_of(ctx), role=role)
    return await ctx.db.patch(await ctx.db.insert(user))


@mutation(role="admin", name="setRole")
async def set_role(ctx: MutationContext, user_id: Id[User], role: Role) -> User:
    """Change what another user may do."""
    return await ctx.db.patch(await _another(ctx, user_id), role=role)


@mutation(role="admin", name="removeUser")
async def remove_user(ctx: MutationContext, user_id: Id[User]) -> None:
    """Take another user out, with their schedules."""
    await ctx.db.delete(await _another(ctx, user_id))


async def _another(ctx: MutationContext, user_id: Id[User]) -> Id[User]:
    me = await current_user(ctx)
    if me is not None and me.id == user_id:
        raise FunctionError("last_admin", "ask another admin: so an organization always has one")
    return user_id
