"""Counters: each acknowledged increment counts once, however often it was sent."""

from __future__ import annotations

import asyncio

from synovia import Id, MutationContext, QueryContext, mutation, query

from .schema import Counter


@query(public=True)
async def all_of_them(ctx: QueryContext) -> dict[str, int]:
    return {counter.name: counter.value for counter in await ctx.db.query(Counter).using("by_name").collect()}


@query(public=True)
async def value(ctx: QueryContext, name: str) -> int:
    await asyncio.sleep(0.05)  # so that an older answer, if one is given, is seen before the newer one
    counter = await ctx.db.query(Counter).using("by_name", name=name).unique()
    return 0 if counter is None else counter.value


@mutation(public=True)
async def increment(ctx: MutationContext, name: str) -> int:
    counter = await ctx.db.get(Counter, Id(name))
    if counter is None:
        await ctx.db.insert(Counter(id=Id(name), name=name, value=1))
        return 1
    return (await ctx.db.patch(counter, value=counter.value + 1)).value
