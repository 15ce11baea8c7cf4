"""Users, to change."""

from __future__ import annotations

from chat.people import caller
from chat.schema import Channel, User

from synovia import Id, MutationContext, Unauthenticated, mutation

FIRST_CHANNELS = {"general": "Whatever concerns everybody", "random": "Whatever does not"}


@mutation(signed_in=True)
async def store(ctx: MutationContext) -> Id[User]:
    """Remember who has signed in, under their present name."""
    identity = ctx.identity
    if identity is None:
        raise Unauthenticated("sign in first")
    name = identity.name or identity.subject
    user = await caller(ctx)
    if user is not None:
        return (user if user.name == name else await ctx.db.patch(user, name=name)).id
    if await ctx.db.query(Channel).first() is None:
        for channel, topic in FIRST_CHANNELS.items():
            await ctx.db.insert(Channel(name=channel, topic=topic))
    return await ctx.db.insert(User(token_identifier=identity.key, name=name))
