"""An application for tests: results of pupils, whose counts, sums and ranks are kept, and asked beside plain reads."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from synovia import (
    AggregateIndex,
    Id,
    Index,
    Model,
    MutationContext,
    QueryContext,
    SoftDelete,
    Table,
    between,
    ge,
    mutation,
    query,
)
from synovia.functions.conditions import Range

KEPT = AggregateIndex("by_points", "room", "points", sums=("points", "minutes"))


class Result(Table, name="results", indexes=[KEPT, Index("by_room", "room")]):
    room: str
    points: float | None = None
    minutes: int = 30
    note: str = ""


class Essay(Table, SoftDelete, name="essays", indexes=[AggregateIndex("by_length", "length", sums="length")]):
    length: int


class Step(Model):
    """What a mutation does: to the result of this place in the order of ids, if there are so many."""

    verb: str
    place: int = 0
    room: str = "a"
    points: float | None = None
    minutes: int = 30


@mutation(public=True)
async def take_steps(ctx: MutationContext, steps: list[Step], room: str = "a") -> list[Any]:
    """Write, and tell what is seen of it at once."""
    for step in steps:
        if step.verb == "insert":
            await ctx.db.insert(Result(room=step.room, points=step.points, minutes=step.minutes))
            continue
        rows = await ctx.db.query(Result).take(step.place + 1)
        if len(rows) > step.place:
            row = rows[step.place]
            if step.verb == "delete":
                await ctx.db.delete(row)
            else:
                await ctx.db.patch(row, room=step.room, points=step.points, minutes=step.minutes)
    return await both(ctx, room)


@query(public=True)
async def told(ctx: QueryContext, room: str, least: float | None = None) -> list[Any]:
    return await both(ctx, room, least)


@query(public=True)
async def counted(ctx: QueryContext, room: str) -> int:
    return await ctx.db.query(Result).aggregate("by_points", room=room).count()


@mutation(public=True)
async def add(ctx: MutationContext, room: str, points: float) -> None:
    await ctx.db.insert(Result(room=room, points=points))


@query(public=True)
async def asked(
    ctx: QueryContext,
    index: str,
    where: dict[str, Any] | None = None,
    sum: str | None = None,
    rank: Any = None,
    quantile: float | None = None,
) -> Any:
    kept = ctx.db.query(Result).aggregate(index, **(where or {}))
    if sum is not None:
        return await kept.sum(sum)
    return await kept.rank(rank) if quantile is None else await kept.quantile(quantile)


async def both(ctx: QueryContext, room: str, least: float | None = None) -> list[Any]:
    """Give the answers of the index, and those that are computed of all documents."""
    return [await kept_answers(ctx, room, least), plain_answers(await ctx.db.query(Result).collect(), room, least)]


async def kept_answers(ctx: QueryContext, room: str, least: float | None) -> dict[str, Any]:
    bounds: dict[str, Range] = {} if least is None else {"points": ge(least)}
    kept = ctx.db.query(Result).aggregate("by_points", room=room, **bounds)
    middle = ctx.db.query(Result).aggregate("by_points", room=room, points=between(10, 20))
    rows = [await kept.at(place) for place in (0, 7, -1)]
    return {
        "all": await ctx.db.query(Result).aggregate("by_points").count(),
        "count": await kept.count(),
        "sum": await kept.sum("points"),
        "minutes": await kept.sum("minutes"),
        "mean": await kept.mean("points"),
        "least": await kept.min(),
        "greatest": await kept.max(),
        "rank": await kept.rank(15),
        "above": await kept.rank(15, "desc"),
        "at": [None if row is None else str(row.id) for row in rows],
        "quantiles": [await kept.quantile(q) for q in (0, 0.25, 0.5, 1)],
        "between": await middle.count(),
    }


def plain_answers(rows: list[Result], room: str, least: float | None) -> dict[str, Any]:
    found = [row for row in rows if row.room == room and (least is None or (row.points or -math.inf) >= least)]
    found.sort(key=lambda row: (-math.inf if row.points is None else row.points, row.id))
    values = [row.points for row in found if row.points is not None]
    places = [0, 7, -1]
    return {
        "all": len(rows),
        "count": len(found),
        "sum": math.fsum(values),
        "minutes": sum(row.minutes for row in found),
        "mean": float(sum(map(Fraction, values)) / len(values)) if values else None,
        "least": min(values, default=None),
        "greatest": max(values, default=None),
        "rank": sum(value < 15 for value in values),
        "above": sum(value > 15 for value in values),
        "at": [str(found[place].id) if -len(found) <= place < len(found) else None for place in places],
        "quantiles": [values[max(0, math.ceil(q * len(values)) - 1)] if values else None for q in (0, 0.25, 0.5, 1)],
        "between": sum(row.room == room and row.points is not None and 10 <= row.points < 20 for row in rows),
    }


@mutation(public=True)
async def write_essays(ctx: MutationContext, lengths: list[int]) -> list[Id[Essay]]:
    return [await ctx.db.insert(Essay(length=length)) for length in lengths]


@mutation(public=True)
async def delete_essay(ctx: MutationContext, id: Id[Essay]) -> None:
    await ctx.db.delete(id)


@mutation(public=True)
async def restore_essay(ctx: MutationContext, id: Id[Essay]) -> None:
    await ctx.db.restore(id)


@query(public=True)
async def essays(ctx: QueryContext) -> list[float]:
    kept = ctx.db.query(Essay).aggregate("by_length")
    with_deleted = ctx.db.query(Essay).with_deleted().aggregate("by_length")
    return [await kept.count(), await kept.sum("length"), await with_deleted.count(), await with_deleted.sum("length")]
