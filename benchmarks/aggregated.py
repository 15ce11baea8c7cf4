"""The application of the benchmark of kept aggregates: tables with an aggregate index, and one with a plain index."""

from __future__ import annotations

from typing import Any

from synovia import AggregateIndex, Index, MutationContext, QueryContext, Table, mutation, query

KEPT = AggregateIndex("by_points", "game", "points", sums=("points",))


class Large(Table, name="large", indexes=[KEPT]):
    game: str
    points: int


class Small(Table, name="small", indexes=[KEPT]):
    game: str
    points: int


class Plain(Table, name="plain", indexes=[Index("by_points", "game", "points")]):
    game: str
    points: int


@query(public=True)
async def kept(ctx: QueryContext, table: str, points: int) -> list[Any]:
    results = ctx.db.query(Large if table == "large" else Small).aggregate("by_points", game="chess")
    return [await results.sum("points"), await results.rank(points), await results.quantile(0.5)]


@query(public=True)
async def added_up(ctx: QueryContext) -> float:
    return await ctx.db.query(Large).using("by_points", game="chess").sum("points")


@mutation(public=True)
async def add_large(ctx: MutationContext, points: int) -> None:
    await ctx.db.insert(Large(game="chess", points=points))


@mutation(public=True)
async def add_plain(ctx: MutationContext, points: int) -> None:
    await ctx.db.insert(Plain(game="chess", points=points))
