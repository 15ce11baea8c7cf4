"""A small application that the JavaScript client's tests run on a real hub."""

from __future__ import annotations

from typing import Annotated

from synovia import (
    ActionContext,
    File,
    FileLimits,
    Float64Array,
    FunctionError,
    Id,
    Index,
    MutationContext,
    Page,
    QueryContext,
    Table,
    Unauthenticated,
    Upload,
    action,
    mutation,
    query,
)


class Item(Table, name="items", indexes=[Index("by_list", "list", "rank")]):
    list: str
    rank: int
    text: str
    samples: Float64Array | None = None


@query(public=True)
async def all_of(ctx: QueryContext, list: str) -> list[Item]:
    """List the items of a list by rank."""
    return await ctx.db.query(Item).using("by_list", list=list).collect()


@query(public=True)
async def page_of(ctx: QueryContext, list: str, cursor: str | None = None, limit: int = 10) -> Page[Item]:
    """List them page by page."""
    return await ctx.db.query(Item).using("by_list", list=list).paginate(cursor, limit)


@query(public=True)
async def count(ctx: QueryContext, list: str) -> int:
    """Count them."""
    return await ctx.db.query(Item).using("by_list", list=list).count()


@query(public=True)
async def who(ctx: QueryContext) -> str | None:
    """Tell who asks."""
    return ctx.identity.email if ctx.identity else None


@query(public=True)
async def broken(ctx: QueryContext, list: str) -> int:
    """Fail while the list is empty."""
    if await ctx.db.query(Item).using("by_list", list=list).count() == 0:
        raise FunctionError("empty", "there is nothing", {"list": list})
    return 1


@mutation(public=True)
async def add(ctx: MutationContext, list: str, rank: int, text: str, samples: Float64Array | None = None) -> Id[Item]:
    """Add an item."""
    return await ctx.db.insert(Item(list=list, rank=rank, text=text, samples=samples))


@mutation(public=True)
async def fill(ctx: MutationContext, list: str, count: int) -> None:
    """Add many items, of ranks 0, 10, 20, ..."""
    for index in range(count):
        await ctx.db.insert(Item(list=list, rank=index * 10, text=f"item {index}"))


@mutation(public=True)
async def rename(ctx: MutationContext, list: str, rank: int, text: str) -> None:
    """Give an item another text."""
    item = await ctx.db.query(Item).using("by_list", list=list, rank=rank).first()
    if item is None:
        raise FunctionError("no_such_item", "there is no such item")
    await ctx.db.patch(item, text=text)


@mutation(public=True)
async def remove(ctx: MutationContext, list: str, rank: int) -> None:
    """Remove an item."""
    item = await ctx.db.query(Item).using("by_list", list=list, rank=rank).first()
    if item is not None:
        await ctx.db.delete(item)


@mutation(public=True)
async def sign(ctx: MutationContext, list: str) -> Id[Item]:
    """Add an item with the caller's address."""
    if ctx.identity is None:
        raise Unauthenticated("sign in first")
    return await ctx.db.insert(Item(list=list, rank=0, text=ctx.identity.email or ""))


@action(public=True)
async def echo(ctx: ActionContext, value: float) -> float:
    """Give back a number."""
    return value


class Picture(Table, name="pictures"):
    file: File


@mutation(signed_in=True)
async def add_picture(
    ctx: MutationContext, picture: Annotated[Upload, FileLimits(max_bytes=3_000_000, types=("image/*",))]
) -> Id[Picture]:
    """Keep a picture."""
    return await ctx.db.insert(Picture(file=await ctx.files.accept(picture)))


@query(signed_in=True)
async def picture(ctx: QueryContext, id: Id[Picture]) -> str:
    """Give the address of a picture."""
    found = await ctx.db.get(Picture, id)
    if found is None:
        raise FunctionError("none", "there is no such picture")
    return ctx.files.url(found.file)
