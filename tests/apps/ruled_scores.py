"""An application for tests: results that their owners see, and such as are open."""

from __future__ import annotations

from typing import Any

from synovia import (
    AggregateIndex,
    Condition,
    MutationContext,
    QueryContext,
    RuleContext,
    Table,
    field,
    may_read,
    mutation,
    query,
)


class Owned(Table, name="owned", indexes=[AggregateIndex("by_points", "owner", "points", sums="points")]):
    owner: str
    points: int


class Checked(Table, name="checked", indexes=[AggregateIndex("by_points", "points", sums="points")]):
    points: int
    note: str


@may_read(Owned)
async def own(ctx: RuleContext) -> Condition | bool:
    return ctx.identity is not None and field("owner") == ctx.identity.key


@may_read(Checked)
async def open_ones(ctx: RuleContext, row: Checked) -> bool:
    return row.note == "open"


@mutation(public=True)
async def add(ctx: MutationContext, owner: str, points: list[int], note: str) -> None:
    for each in points:
        await ctx.db.insert(Owned(owner=owner, points=each))
        await ctx.db.insert(Checked(points=each, note=note))


@query(public=True)
async def told(ctx: QueryContext, owner: str) -> list[Any]:
    kept = ctx.db.query(Owned).aggregate("by_points", owner=owner)
    return [await kept.count(), await kept.sum("points"), await kept.max(), await kept.rank(4)]


@query(public=True)
async def checked(ctx: QueryContext) -> list[float]:
    kept = ctx.db.query(Checked).aggregate("by_points")
    return [await kept.count(), await kept.sum("points")]
