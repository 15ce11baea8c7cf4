"""Channels, to read."""

from __future__ import annotations

from chat.schema import Channel

from synovia import QueryContext, query


@query(public=True, name="list")
async def list_channels(ctx: QueryContext) -> list[Channel]:
    """List all channels by name."""
    return await ctx.db.query(Channel).using("by_name").collect()
