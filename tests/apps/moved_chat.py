"""An application whose data comes from Convex: users and their messages."""

from __future__ import annotations

from typing import Any

from synovia import Id, Index, MutationContext, NotFound, Page, QueryContext, Table, mutation, query


class User(Table, name="users", indexes=[Index("by_token", "token_identifier", unique=True)]):
    token_identifier: str
    name: str


class Message(
    Table,
    name="messages",
    indexes=[Index("by_creation", "creation_time"), Index("by_channel", "channel", "creation_time")],
):
    author: Id[User]
    channel: str
    body: str
    likes: int = 0
    weight: float = 0.0
    photo: bytes | None = None
    extra: Any = None


@query(public=True)
async def newest(ctx: QueryContext, channel: str, limit: int = 20) -> list[Message]:
    return await ctx.db.query(Message).using("by_channel", channel=channel).order("desc").take(limit)


@query(public=True)
async def page(ctx: QueryContext, channel: str, cursor: str | None = None) -> Page[Message]:
    return await ctx.db.query(Message).using("by_channel", channel=channel).order("desc").paginate(cursor, 20)


@query(public=True)
async def times(ctx: QueryContext) -> list[int]:
    return [message.creation_time for message in await ctx.db.query(Message).using("by_creation").collect()]


@query(public=True)
async def author(ctx: QueryContext, message_id: Id[Message]) -> str:
    message = await ctx.db.get(message_id)
    user = None if message is None else await ctx.db.get(message.author)
    if user is None:
        raise NotFound("no such message, or nobody wrote it")
    return user.name


@query(public=True)
async def newest_ids(ctx: QueryContext, limit: int) -> list[Id[Message]]:
    """Read the table as it comes, from the end."""
    return [message.id for message in await ctx.db.query(Message).order("desc").take(limit)]


@mutation(public=True)
async def send(ctx: MutationContext, author: Id[User], channel: str, body: str) -> Id[Message]:
    return await ctx.db.insert(Message(author=author, channel=channel, body=body))


@mutation(public=True)
async def like(ctx: MutationContext, message_id: Id[Message]) -> int:
    message = await ctx.db.get(message_id)
    if message is None:
        raise NotFound("no such message")
    return (await ctx.db.patch(message, likes=message.likes + 1)).likes
