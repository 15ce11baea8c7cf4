"""Messages in channels."""

from __future__ import annotations

from synovia import Id, MutationContext, Page, PaginationOptions, QueryContext, mutation, query

from .schema import Message


@query(public=True, name="list")
async def list_channel(ctx: QueryContext, channel: str) -> list[Message]:
    return await ctx.db.query(Message).using("by_channel", channel=channel).collect()


@query(public=True)
async def count(ctx: QueryContext, channel: str) -> int:
    return await ctx.db.query(Message).using("by_channel", channel=channel).count()


@mutation(public=True)
async def send(ctx: MutationContext, channel: str, author: str, body: str) -> Id[Message]:
    return await ctx.db.insert(Message(channel=channel, author=author, body=body))


@mutation(public=True)
async def remove(ctx: MutationContext, id: Id[Message]) -> None:
    await ctx.db.delete(id)


@mutation(public=True)
async def clear(ctx: MutationContext, channel: str) -> int:
    found = await ctx.db.query(Message).using("by_channel", channel=channel).collect()
    for message in found:
        await ctx.db.delete(message)
    return len(found)


@query(public=True)
async def page(ctx: QueryContext, channel: str, pagination_opts: PaginationOptions) -> Page[Message]:
    messages = ctx.db.query(Message).using("by_channel", channel=channel)
    return await messages.order("desc").paginate(pagination_opts)


@query(public=True)
async def oldest(ctx: QueryContext, channel: str, pagination_opts: PaginationOptions) -> Page[Message]:
    return await ctx.db.query(Message).using("by_channel", channel=channel).paginate(pagination_opts)


@mutation(public=True)
async def send_many(ctx: MutationContext, channel: str, count: int) -> None:
    for number in range(count):
        await ctx.db.insert(Message(channel=channel, author="many", body=str(number)))
