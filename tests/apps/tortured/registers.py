"""Lists that are read and appended to in one transaction: their contents tell the order of everything that wrote them."""

from __future__ import annotations

import asyncio

from synovia import FunctionError, MutationContext, QueryContext, mutation, query

from .schema import Register


@query(public=True)
async def all_of_them(ctx: QueryContext) -> dict[str, list[int]]:
    return {register.name: register.items for register in await ctx.db.query(Register).using("by_name").collect()}


@mutation(public=True)
async def create(ctx: MutationContext, count: int) -> None:
    for number in range(count):
        await ctx.db.insert(Register(name=f"r{number}"))


@query(public=True)
async def items(ctx: QueryContext, name: str) -> list[int]:
    await asyncio.sleep(0.05)  # so that an older answer, if one is given, is seen before the newer one
    register = await ctx.db.query(Register).using("by_name", name=name).unique()
    return [] if register is None else register.items


@mutation(public=True)
async def transact(ctx: MutationContext, read: list[str], append: list[str], item: int) -> dict[str, list[int]]:
    """Read some registers, then append the item to others; give what was read."""
    seen = {name: (await _named(ctx, name)).items for name in read}
    for name in append:
        register = await _named(ctx, name)
        await ctx.db.patch(register, items=[*register.items, item])
    return seen


@mutation(public=True)
async def peek(ctx: MutationContext, read: list[str]) -> None:
    """Read some registers, and fail with what they hold: a failure is an answer, too."""
    raise FunctionError("peeked", "this fails always", {name: (await _named(ctx, name)).items for name in read})


async def _named(ctx: MutationContext, name: str) -> Register:
    register = await ctx.db.query(Register).using("by_name", name=name).unique()
    assert register is not None
    return register
