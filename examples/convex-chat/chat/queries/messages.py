"""Messages, to read."""

from __future__ import annotations

from chat.schema import Channel, Message

from synovia import Id, Page, PaginationOptions, QueryContext, query


@query(public=True)
async def page(ctx: QueryContext, channel_id: Id[Channel], pagination_opts: PaginationOptions) -> Page[Message]:
    """Read a page of a channel, the newest message first."""
    messages = ctx.db.query(Message).using("by_channel", channel_id=channel_id)
    return await messages.order("desc").paginate(pagination_opts)
