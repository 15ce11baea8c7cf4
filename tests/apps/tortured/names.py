"""Sign-ups: one owner for each name, kept by a unique index, or by having seen that nobody has it."""

from __future__ import annotations

from synovia import FunctionError, MutationContext, QueryContext, mutation, query

from .schema import Handle, Seat


@query(public=True)
async def handles(ctx: QueryContext) -> list[Handle]:
    return await ctx.db.query(Handle).using("by_name").collect()


@query(public=True)
async def seats(ctx: QueryContext) -> list[Seat]:
    return await ctx.db.query(Seat).using("by_name").collect()


@mutation(public=True)
async def claim_handle(ctx: MutationContext, name: str, owner: str) -> None:
    await ctx.db.insert(Handle(name=name, owner=owner))


@mutation(public=True)
async def claim_seat(ctx: MutationContext, name: str, owner: str) -> None:
    if await ctx.db.query(Seat).using("by_name", name=name).first() is not None:
        raise FunctionError("taken", f"{name} is taken")
    await ctx.db.insert(Seat(name=name, owner=owner))
