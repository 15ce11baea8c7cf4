"""Functions of a folder itself."""

from __future__ import annotations

from synovia import QueryContext, query


@query(public=True)
async def count(ctx: QueryContext) -> int:
    """Count what is in the shop."""
    return 3
