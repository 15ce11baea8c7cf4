"""A large result."""

from __future__ import annotations

from synovia import QueryContext, query


@query(public=True)
async def text(ctx: QueryContext, length: int) -> str:
    return "å" * length
