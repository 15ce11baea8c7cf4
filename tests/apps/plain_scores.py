"""An older version of the application of scores, which knows nothing of sums."""

from __future__ import annotations

from synovia import QueryContext, Table, query


class Result(Table, name="results"):
    room: str
    points: float | None = None
    minutes: int = 30
    note: str = ""


@query(public=True)
async def counted(ctx: QueryContext) -> int:
    return await ctx.db.query(Result).count()
