"""Messages, to change."""

from __future__ import annotations

from typing import Annotated

from chat.people import known_caller
from chat.schema import Channel, Message
from pydantic import Field

from synovia import Forbidden, Id, MutationContext, NotFound, mutation

Body = Annotated[str, Field(min_length=1, max_length=4_000)]


@mutation(signed_in=True)
async def send(ctx: MutationContext, channel_id: Id[Channel], body: Body) -> Id[Message]:
    """Write a message."""
    author = await known_caller(ctx)
    if await ctx.db.get(channel_id) is None:
        raise NotFound("there is no such channel")
    return await ctx.db.insert(Message(channel_id=channel_id, author_id=author.id, author=author.name, body=body))


@mutation(signed_in=True)
async def like(ctx: MutationContext, message_id: Id[Message]) -> None:
    """Like a message, or no longer."""
    user, message = await known_caller(ctx), await _message(ctx, message_id)
    others = [each for each in message.liked_by if each != user.id]
    liked = others if len(others) < len(message.liked_by) else [*others, user.id]
    await ctx.db.patch(message, liked_by=liked)


@mutation(signed_in=True)
async def remove(ctx: MutationContext, message_id: Id[Message]) -> None:
    """Take back a message of one's own."""
    user, message = await known_caller(ctx), await _message(ctx, message_id)
    if message.author_id != user.id:
        raise Forbidden("only its author can take back a message")
    await ctx.db.delete(message)


async def _message(ctx: MutationContext, message_id: Id[Message]) -> Message:
    message = await ctx.db.get(message_id)
    if message is None:
        raise NotFound("there is no such message")
    return message
