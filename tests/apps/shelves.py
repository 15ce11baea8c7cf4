"""Items on shelves: mutations of every shape of reading, each of which a few lines of Python can tell the outcome of."""

from __future__ import annotations

from typing import Literal

from synovia import FunctionError, Id, Index, MutationContext, QueryContext, Table, mutation, query

Order = Literal["asc", "desc"]


class Item(
    Table,
    name="items",
    text_ids=True,
    indexes=[Index("by_shelf", "shelf", "rank"), Index("by_code", "code", unique=True)],
):
    shelf: str
    rank: int
    code: str


async def _item(ctx: QueryContext, name: str) -> Item:
    item = await ctx.db.get(Item, Id(name))
    if item is None:
        raise FunctionError("missing", f"there is no {name}")
    return item


@query(public=True)
async def everything(ctx: QueryContext) -> dict[str, list[str | int]]:
    return {item.id: [item.shelf, item.rank, item.code] for item in await ctx.db.query(Item).collect()}


@mutation(public=True)
async def put(ctx: MutationContext, name: str, shelf: str, rank: int) -> str:
    await ctx.db.insert(Item(id=Id(name), shelf=shelf, rank=rank, code=name))
    return name


@mutation(public=True)
async def raise_rank(ctx: MutationContext, name: str, by: int) -> int:
    item = await _item(ctx, name)
    return (await ctx.db.patch(item, rank=item.rank + by)).rank


@mutation(public=True)
async def spend(ctx: MutationContext, name: str, amount: int) -> int:
    item = await _item(ctx, name)
    if item.rank < amount:
        raise FunctionError("insufficient", f"{name} has {item.rank}", {"rank": item.rank})
    return (await ctx.db.patch(item, rank=item.rank - amount)).rank


@mutation(public=True)
async def move(ctx: MutationContext, name: str, shelf: str) -> str:
    item = await _item(ctx, name)
    await ctx.db.patch(item, shelf=shelf)
    return item.shelf


@mutation(public=True)
async def rename(ctx: MutationContext, name: str, code: str) -> str:
    item = await _item(ctx, name)
    await ctx.db.patch(item, code=code)
    return item.code


@mutation(public=True)
async def take(ctx: MutationContext, shelf: str, order: Order) -> str | None:
    item = await ctx.db.query(Item).using("by_shelf", shelf=shelf).order(order).first()
    if item is None:
        return None
    await ctx.db.delete(item)
    return item.id


@mutation(public=True)
async def sum_up(ctx: MutationContext, shelf: str, limit: int, order: Order, into: str) -> list[str]:
    found = await ctx.db.query(Item).using("by_shelf", shelf=shelf).order(order).take(limit)
    item = await _item(ctx, into)
    await ctx.db.patch(item, rank=sum(each.rank for each in found) % 1000)
    return [each.id for each in found]


@mutation(public=True)
async def count(ctx: MutationContext, shelf: str, into: str) -> int:
    counted = await ctx.db.query(Item).using("by_shelf", shelf=shelf).count()
    await ctx.db.patch(await _item(ctx, into), rank=counted)
    return counted


async def _holder(ctx: QueryContext, code: str) -> Item | None:
    return await ctx.db.query(Item).using("by_code", code=code).unique()


@mutation(public=True)
async def find(ctx: MutationContext, code: str, by: int) -> str | None:
    """Raise the rank of whoever has a code, and tell who that is."""
    item = await _holder(ctx, code)
    if item is None:
        return None
    await ctx.db.patch(item, rank=item.rank + by)
    return item.id


@mutation(public=True)
async def hand_over(ctx: MutationContext, code: str, to: str) -> str | None:
    """Give a code to somebody; who has had it gets theirs. Tells who that is."""
    holder, item = await _holder(ctx, code), await _item(ctx, to)
    if holder is None or holder.id == item.id:
        await ctx.db.patch(item, code=code)
        return None
    await ctx.db.patch(holder, code="nobody's")
    await ctx.db.patch(item, code=code)
    await ctx.db.patch(holder, code=item.code)
    return holder.id


@mutation(public=True)
async def drop(ctx: MutationContext, code: str) -> str | None:
    """Delete whoever has a code, and tell who that was."""
    item = await _holder(ctx, code)
    if item is None:
        return None
    await ctx.db.delete(item)
    return item.id
