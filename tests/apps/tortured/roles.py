"""A secret for those who hold a role, which is given and taken all the time."""

from __future__ import annotations

import asyncio

from synovia import MutationContext, QueryContext, mutation, query, require_identity, roles

from .schema import Member


@roles({"insider": {"secret.read"}})
async def roles_of(ctx: QueryContext) -> str | None:
    member = await ctx.db.query(Member).using("by_key", key=require_identity(ctx).key).unique()
    return "insider" if member is not None and member.inside else None


@query(role="insider")
async def secret(ctx: QueryContext) -> str:
    await asyncio.sleep(0.05)  # so that an older answer, if one is given, is seen before the newer one
    return "the secret"


@mutation(public=True)
async def place(ctx: MutationContext, person: str, inside: bool) -> None:
    key = f"dev|{person}"
    member = await ctx.db.query(Member).using("by_key", key=key).unique()
    if member is None:
        await ctx.db.insert(Member(key=key, inside=inside))
    else:
        await ctx.db.patch(member, inside=inside)
