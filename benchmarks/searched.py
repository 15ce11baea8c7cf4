"""The application whose documents the benchmark of searches looks for: one table with a search index, and one without."""

from __future__ import annotations

from synovia import Index, MutationContext, QueryContext, SearchIndex, Table, mutation, query


class Plain(Table, name="plain", indexes=[Index("by_rank", "rank")]):
    title: str
    notes: str
    rank: int


class Indexed(
    Table,
    name="indexed",
    indexes=[Index("by_rank", "rank"), SearchIndex("by_text", "title", "notes", language="english")],
):
    title: str
    notes: str
    rank: int


@query(public=True)
async def find(ctx: QueryContext, text: str) -> list[str]:
    return [row.title for row in await ctx.db.query(Indexed).search("by_text", text).take(20)]


@query(public=True)
async def page(ctx: QueryContext, rank: int) -> list[str]:
    return [row.title for row in await ctx.db.query(Indexed).using("by_rank", rank=rank).take(20)]


@mutation(public=True)
async def add(ctx: MutationContext, title: str, notes: str) -> None:
    await ctx.db.insert(Plain(title=title, notes=notes, rank=-1))


@mutation(public=True)
async def add_indexed(ctx: MutationContext, title: str, notes: str) -> None:
    await ctx.db.insert(Indexed(title=title, notes=notes, rank=-1))
