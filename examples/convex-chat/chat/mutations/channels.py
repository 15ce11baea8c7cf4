"""Channels, to change."""

from __future__ import annotations

from typing import Annotated

from chat.people import known_caller
from chat.schema import Channel
from pydantic import Field

from synovia import FunctionError, Id, MutationContext, mutation

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


@mutation(signed_in=True)
async def create(ctx: MutationContext, name: Name, topic: str = "") -> Id[Channel]:
    """Open a channel."""
    await known_caller(ctx)
    if await ctx.db.query(Channel).using("by_name", name=name).first() is not None:
        raise FunctionError("taken", f"there is a channel #{name} already")
    return await ctx.db.insert(Channel(name=name, topic=topic))
