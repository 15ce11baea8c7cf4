"""Two guards a post: each may leave if the other one stays. Write skew leaves a post without any."""

from __future__ import annotations

from synovia import FunctionError, MutationContext, QueryContext, mutation, query

from .schema import Guard


@query(public=True)
async def on_duty(ctx: QueryContext) -> dict[str, int]:
    """Tell how many are on duty at each post."""
    counts: dict[str, int] = {}
    for guard in await ctx.db.query(Guard).using("by_post").collect():
        counts[guard.post] = counts.get(guard.post, 0) + guard.on
    return counts


@mutation(public=True)
async def create(ctx: MutationContext, count: int) -> None:
    for number in range(count):
        for side in (0, 1):
            await ctx.db.insert(Guard(post=f"g{number}", side=side, on=True))


@mutation(public=True)
async def leave(ctx: MutationContext, post: str, side: int) -> None:
    guards = await ctx.db.query(Guard).using("by_post", post=post).collect()
    if sum(guard.on for guard in guards) < 2:
        raise FunctionError("alone", "the last guard stays")
    await ctx.db.patch(guards[side], on=False)


@mutation(public=True)
async def arrive(ctx: MutationContext, post: str) -> None:
    for guard in await ctx.db.query(Guard).using("by_post", post=post).collect():
        if not guard.on:
            await ctx.db.patch(guard, on=True)
