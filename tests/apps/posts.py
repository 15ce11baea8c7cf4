"""An application that tells which process serves it, for tests with several of them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from synovia import Id, Index, MutationContext, QueryContext, Table, mutation, query


class Post(Table, name="posts", indexes=[Index("by_wall", "wall")]):
    wall: str
    text: str


@query(public=True)
async def process(ctx: QueryContext) -> int:
    return os.getpid()


@query(public=True)
async def on_wall(ctx: QueryContext, wall: str) -> list[Post]:
    return await ctx.db.query(Post).using("by_wall", wall=wall).collect()


@query(public=True)
async def texts(ctx: QueryContext, wall: str) -> list[str]:
    return [post.text for post in await on_wall(ctx, wall)]


@mutation(public=True)
async def post(ctx: MutationContext, wall: str, text: str) -> Id[Post]:
    return await ctx.db.insert(Post(wall=wall, text=text))


@mutation(public=True)
async def post_slowly(ctx: MutationContext, wall: str, text: str, seconds: float, after: str | None = None) -> Id[Post]:
    """Take so long, once there is a file."""
    while after is not None and not await asyncio.to_thread(Path(after).exists):  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    return await post(ctx, wall, text)


@mutation(public=True)
async def block(ctx: MutationContext, seconds: float, begun: str) -> None:
    """Hold up the whole process, as a function with a long computation does; a file tells that it has begun."""
    Path(begun).touch()  # noqa: ASYNC240 (it holds up the process anyway)
    time.sleep(seconds)  # noqa: ASYNC251 (that is the point)
