"""A query in a folder of a folder."""

from __future__ import annotations

from synovia import QueryContext, query


@query(public=True)
async def answer(ctx: QueryContext) -> int:
    return 42
