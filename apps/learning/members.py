"""Who belongs to a tenant, who they are, and what they are interested in."""

from learning.access import current_member, require_member
from learning.schema import Category, MemberInterest, MemberProfile, Role, Tenant, Text, User
from synovia import Id, Model, MutationContext, QueryContext, mutation, normal_email, query


class Me(Model):
    """The caller, with their tenant and what they may do."""

    tenant: Tenant
    profile: MemberProfile
    capabilities: list[str]


@query(signed_in=True)
async def me(ctx: QueryContext) -> Me | None:
    """Give the caller; None if the tenant does not know them."""
    profile = await current_member(ctx)
    tenant = None if profile is None else await ctx.db.get(profile.tenant_id)
    if profile is None or tenant is None:
        return None
    return Me(tenant=tenant, profile=profile, capabilities=sorted(await ctx.capabilities()))


@query(capability="members.manage")
async def matrix(ctx: QueryContext) -> dict[str, list[str]]:
    """Tell admins what each role may do."""
    return {role: sorted(capabilities) for role, capabilities in ctx.grants.items()}


@mutation(capability="members.manage")
async def invite(ctx: MutationContext, email: Text, name: Text, role: Role) -> Id[MemberProfile]:
    """Let somebody in: who signs in with this address and this tenant is this member."""
    tenant = (await require_member(ctx)).tenant_id
    user = await ctx.db.insert(User(tenant_id=tenant, email=normal_email(email), role=role))
    return await ctx.db.insert(MemberProfile(tenant_id=tenant, user_id=user, name=name))


@mutation(capability="members.manage")
async def remove(ctx: MutationContext, user_id: Id[User]) -> None:
    """Take somebody out, with their profile, enrolments and tickets."""
    await ctx.db.delete(user_id)


@query(capability="learn")
async def search(ctx: QueryContext, text: str) -> list[MemberProfile]:
    """List the members whose names have some words; the last one may be a beginning."""
    return await ctx.db.query(MemberProfile).search("by_name", text).take(20)


@mutation(capability="learn")
async def like(ctx: MutationContext, category_id: Id[Category]) -> Id[MemberInterest]:
    """Note that the caller is interested in a category."""
    me = await require_member(ctx)
    return await ctx.db.insert(MemberInterest(tenant_id=me.tenant_id, member_id=me.id, category_id=category_id))
