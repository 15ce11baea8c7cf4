"""A mutation in a folder, by a name in snake_case."""

from __future__ import annotations

from synovia import Id, MutationContext, mutation

from ..schema import Message  # noqa: TID252


@mutation(public=True)
async def send_nested(ctx: MutationContext, channel: str, author: str, body: str) -> Id[Message]:
    return await ctx.db.insert(Message(channel=channel, author=author, body=body))
