"""An application for tests of windows: two lists of rows, of which one mutation changes much at once, at random."""

from __future__ import annotations

import random
from collections.abc import Collection

from synovia import FunctionError, Id, Index, MutationContext, QueryContext, Table, mutation, query

LISTS = ("one", "two")


class Row(Table, name="rows", indexes=[Index("on_list", "on", "place")]):
    """A row; the first one of each list, which is called ``version``, has the number of the newest commit."""

    on: str
    place: float
    name: str
    n: int = 0


@query(public=True)
async def on_list(ctx: QueryContext, name: str) -> list[Row]:
    return await ctx.db.query(Row).using("on_list", on=name).collect()


@query(public=True)
async def get(ctx: QueryContext, row_id: Id[Row]) -> Row | None:
    return await ctx.db.get(Row, row_id)


@mutation(public=True)
async def fill(ctx: MutationContext, count: int) -> None:
    """Begin both lists with as many rows."""
    for name in LISTS:
        await ctx.db.insert(Row(on=name, place=-1, name="version"))
        for place in range(1, count):
            await ctx.db.insert(Row(on=name, place=place, name=f"row {place}"))


@mutation(public=True)
async def stir(ctx: MutationContext, version: int, spared: list[Id[Row]] | None = None) -> None:
    """Change, move, remove and insert some rows of both lists, other ones for each version.

    Args:
        spared: Rows that may move, and are neither removed nor get another number.
    """
    rng = random.Random(version)
    for name in LISTS:
        first, *rows = await on_list(ctx, name)
        await ctx.db.patch(first, n=version)
        await _stir(ctx, rng, rows, spared or [])


async def _stir(ctx: MutationContext, rng: random.Random, rows: list[Row], spared: Collection[Id[Row]]) -> None:
    changed, moved, removed = rng.sample(rows, 3)
    new = Row(on=moved.on, place=rng.uniform(0, len(rows)), name=f"as new as {moved.name}")
    await ctx.db.patch(moved, place=rng.uniform(0, len(rows)))
    if changed.id not in spared:
        await ctx.db.patch(changed, n=changed.n + 1)
    if removed.id not in spared and rng.random() < 0.4:
        await ctx.db.delete(removed)
        await ctx.db.insert(new)


@mutation(public=True)
async def set_n(ctx: MutationContext, row_id: Id[Row], n: int) -> None:
    """Set the number of a row, unless it is below nothing."""
    if n < 0:
        raise FunctionError("below_nothing", "a number is not below nothing")
    await ctx.db.patch(row_id, n=n)
