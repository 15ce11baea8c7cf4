"""A small application for tests: messages that are sent, answered and listed."""

from __future__ import annotations

import asyncio

from synovia import Id, Index, MutationContext, QueryContext, Table, ge, mutation, query


class Message(Table, name="messages"):
    text: str


class Article(Table, name="articles", indexes=[Index("by_creation", "creation_time")]):
    title: str


class Gate:
    """Lets a test hold a mutation between its read and its write."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()


gate: Gate | None = None


@mutation(public=True)
async def send(ctx: MutationContext, text: str) -> Id[Message]:
    return await ctx.db.insert(Message(text=text))


@mutation(public=True)
async def send_many(ctx: MutationContext, count: int) -> list[Id[Message]]:
    return [await ctx.db.insert(Message(text=str(number))) for number in range(count)]


@mutation(public=True)
async def answer(ctx: MutationContext) -> Id[Message]:
    """Answer the newest message."""
    newest = await ctx.db.query(Message).order("desc").first()
    sent = await ctx.db.insert(Message(text="re: " + (newest.text if newest else "")))
    if gate is not None:
        gate.reached.set()
        await gate.open.wait()
    return sent


@query(public=True)
async def newest(ctx: QueryContext, limit: int = 5) -> list[Message]:
    return await ctx.db.query(Message).order("desc").take(limit)


@query(public=True)
async def texts(ctx: QueryContext) -> list[str]:
    return [message.text for message in await ctx.db.query(Message).collect()]


@query(public=True)
async def times(ctx: QueryContext) -> list[int]:
    return [message.creation_time for message in await ctx.db.query(Message).collect()]


@mutation(public=True)
async def publish(ctx: MutationContext, title: str, id: str | None = None, at: float | None = None) -> Id[Article]:
    article = Article(title=title) if id is None else Article(id=Id(id), title=title)
    return await ctx.db.insert(article, creation_time=at)


@mutation(public=True)
async def retitle(ctx: MutationContext, id: Id[Article], title: str) -> None:
    article = await ctx.db.get(Article, id)
    assert article is not None
    await ctx.db.patch(article, title=title + "?")
    await ctx.db.replace(Article(id=id, title=title))


@query(public=True)
async def articles(ctx: QueryContext, since: int = 0) -> list[tuple[str, int]]:
    found = await ctx.db.query(Article).using("by_creation", creation_time=ge(since)).collect()
    return [(article.title, article.creation_time) for article in found]
