"""Users, to read."""

from __future__ import annotations

from chat.people import caller
from chat.schema import User

from synovia import QueryContext, query


@query(public=True)
async def me(ctx: QueryContext) -> User | None:
    """Tell who is calling."""
    return await caller(ctx)
