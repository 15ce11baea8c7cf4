"""Counters: each acknowledged increment counts once, however often it was sent."""

from __future__ import annotations

from synovia import MutationContext, QueryContext, mutation, query

from .schema import Counter


@query(public=True)
async def all_of_them(ctx: QueryContext) -> dict[str, int]:
    return {counter.name: counter.value for counter in await ctx.db.query(Counter).using("by_name").collect()}


@mutation(public=True)
async def increment(ctx: MutationContext, name: str) -> int:
    counter = await ctx.db.query(Counter).using("by_name", name=name).unique()
    if counter is None:
        await ctx.db.insert(Counter(name=name, value=1))
        return 1
    return (await ctx.db.patch(counter, value=counter.value + 1)).value
