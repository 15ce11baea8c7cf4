"""The application in whose documents the benchmark of vectors searches: one table with a vector index, and one without."""

from __future__ import annotations

from synovia import Index, MutationContext, QueryContext, Table, VectorIndex, mutation, query

DIMENSIONS = 384


class Plain(Table, name="plain", indexes=[Index("by_rank", "rank")]):
    embedding: list[float]
    rank: int


class Compared(
    Table,
    name="compared",
    indexes=[Index("by_rank", "rank"), VectorIndex("by_meaning", "embedding", dimensions=DIMENSIONS)],
):
    embedding: list[float]
    rank: int


@query(public=True)
async def nearest(ctx: QueryContext, vector: list[float]) -> list[int]:
    return [row.rank for row in await ctx.db.query(Compared).nearest("by_meaning", vector).take(10)]


@query(public=True)
async def page(ctx: QueryContext, rank: int) -> list[int]:
    return [row.rank for row in await ctx.db.query(Compared).using("by_rank", rank=rank).take(10)]


@mutation(public=True)
async def add_plain(ctx: MutationContext, vector: list[float]) -> None:
    await ctx.db.insert(Plain(embedding=vector, rank=-1))


@mutation(public=True)
async def add_compared(ctx: MutationContext, vector: list[float]) -> None:
    await ctx.db.insert(Compared(embedding=vector, rank=-1))
