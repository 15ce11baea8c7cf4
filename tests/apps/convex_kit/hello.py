"""A module with a default export."""

from __future__ import annotations

from synovia import QueryContext, query


@query(public=True)
async def default(ctx: QueryContext) -> str:
    return "hello, world"
