"""Organizations and who belongs to them."""

from education.access import current_user, require_user
from education.schema import Email, Organization, Role, User, Word
from synovia import FunctionError, Id, Model, MutationContext, QueryContext, mutation, normal_email, query


class Me(Model):
    """The caller, with their organization and what they may do."""

    user: User
    organization: Organization
    capabilities: list[str]


class Person(Model):
    """Somebody, as others see them."""

    id: Id[User]
    name: str
    role: Role


def person(user: User) -> Person:
    """Give what others see of somebody."""
    return Person(id=user.id, name=user.name, role=user.role)


@query(signed_in=True)
async def me(ctx: QueryContext) -> Me | None:
    """Give the caller; None if no organization knows them."""
    user = await current_user(ctx)
    organization = None if user is None else await ctx.db.get(user.organization_id)
    if user is None or organization is None:
        return None
    return Me(user=user, organization=organization, capabilities=sorted(await ctx.capabilities()))


@query(capability="records.write")
async def colleagues(ctx: QueryContext) -> list[Person]:
    """List who works at the caller's organization."""
    users = ctx.db.query(User).using("by_organization", organization_id=(await require_user(ctx)).organization_id)
    return [person(user) for user in await users.collect() if user.role in ("admin", "teacher", "specialist")]


@query(capability="people.manage")
async def members(ctx: QueryContext) -> list[User]:
    """List who is let in at the caller's organization, or was, by their names."""
    users = ctx.db.query(User).using("by_organization", organization_id=(await require_user(ctx)).organization_id)
    return sorted(await users.take(5_000), key=lambda user: (user.last_name, user.first_name))


@mutation(capability="people.manage")
async def invite(ctx: MutationContext, email: Email, first_name: Word, last_name: Word, role: Role) -> Id[User]:
    """Let somebody in: who signs in with this address is this user."""
    me = await require_user(ctx)
    organization = await ctx.db.get(me.organization_id)
    users = ctx.db.query(User).using("by_organization", organization_id=me.organization_id)
    if organization is None or await users.count() >= organization.max_users:
        raise FunctionError("limit_reached", "this organization has no place for another user")
    user = User(
        email=normal_email(email), first_name=first_name, last_name=last_name, role=role,
        organization_id=me.organization_id,
    )  # fmt: skip
    return await ctx.db.insert(user)


@mutation(capability="people.manage", name="setActive")
async def set_active(ctx: MutationContext, user_id: Id[User], active: bool) -> None:
    """Let somebody in no longer, or again; nobody shuts themselves out."""
    if user_id == (await require_user(ctx)).id:
        raise FunctionError("not_yourself", "somebody else has to say that you are let in no longer")
    await ctx.db.patch(user_id, is_active=active)
