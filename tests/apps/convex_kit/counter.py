"""Counters."""

from __future__ import annotations

from synovia import MutationContext, QueryContext, mutation, query

from .schema import Counter


async def add_one(ctx: MutationContext, name: str) -> int:
    counter = await ctx.db.query(Counter).using("by_name", name=name).unique()
    if counter is None:
        await ctx.db.insert(Counter(name=name, value=1))
        return 1
    return (await ctx.db.patch(counter, value=counter.value + 1)).value


@mutation(public=True)
async def increment(ctx: MutationContext, name: str) -> int:
    return await add_one(ctx, name)


@query(public=True)
async def get(ctx: QueryContext, name: str) -> int:
    counter = await ctx.db.query(Counter).using("by_name", name=name).unique()
    return 0 if counter is None else counter.value
