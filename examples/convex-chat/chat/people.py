"""Who is calling."""

from __future__ import annotations

from chat.schema import User
from synovia import FunctionError, MutationContext, QueryContext


async def caller(ctx: QueryContext | MutationContext) -> User | None:
    """Find the user who is calling; None: nobody is signed in, or they have not been here before."""
    if ctx.identity is None:
        return None
    return await ctx.db.query(User).using("by_token", token_identifier=ctx.identity.key).unique()


async def known_caller(ctx: MutationContext) -> User:
    """Find the user who is calling, or fail."""
    user = await caller(ctx)
    if user is None:
        raise FunctionError("unknown_user", "call users:store first")
    return user
