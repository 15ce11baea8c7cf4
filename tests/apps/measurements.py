"""An application for tests: measurements of goals, and what is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from synovia import Id, Index, MutationContext, QueryContext, Table, Trend, mutation, query

Level = Literal["emerging", "mastered"]


class Goal(Table, name="goals"):
    title: str


class Point(Table, name="points", indexes=[Index("by_goal", "goal_id", "at")]):
    goal_id: Id[Goal]
    at: datetime
    value: float
    minutes: int = 30
    level: Level | None = None
    tags: list[str] = []


@mutation(public=True)
async def add(ctx: MutationContext, goal: str, at: datetime, value: float, level: Level | None = None) -> Id[Point]:
    return await ctx.db.insert(Point(goal_id=Id(goal), at=at, value=value, level=level))


@mutation(public=True)
async def add_and_tell(ctx: MutationContext, goal: str, at: datetime, values: list[float]) -> list[Any]:
    """Write, and look at what is written: what was there, what it changes, and what it takes away."""
    points = ctx.db.query(Point).using("by_goal", goal_id=Id[Goal](goal))
    told: list[Any] = [await points.sum("value")]
    ids = [await ctx.db.insert(Point(goal_id=Id(goal), at=at, value=value)) for value in values]
    told += [await points.sum("value"), await points.max("value"), await points.count()]
    for id_ in ids[:-1]:
        await ctx.db.delete(id_)
    return [*told, await points.sum("value"), await points.max("value"), await points.count()]


@mutation(public=True)
async def remove(ctx: MutationContext, id: Id[Point]) -> None:
    await ctx.db.delete(id)


@query(public=True)
async def progress(ctx: QueryContext, goal: str) -> dict[str, Any]:
    points = ctx.db.query(Point).using("by_goal", goal_id=Id[Goal](goal))
    return {
        "count": await points.count(),
        "sum": await points.sum("value"),
        "minutes": await points.sum("minutes"),
        "mean": await points.mean("value"),
        "least": await points.min("value"),
        "latest": await points.max("at"),
        "best": await points.max("level"),
        "levels": [[level, count] for level, count in (await points.group_by("level").count()).items()],
    }


@query(public=True)
async def trend(ctx: QueryContext, goal: str) -> Trend:
    return await ctx.db.query(Point).using("by_goal", goal_id=Id[Goal](goal)).trend(x="at", y="value")


@query(public=True)
async def by_goal(ctx: QueryContext) -> dict[str, float]:
    return await ctx.db.query(Point).group_by("goal_id").sum("value")


@query(public=True)
async def wrong(ctx: QueryContext, word: str, field: str) -> Any:
    points = ctx.db.query(Point)
    return await getattr(points.group_by(field) if word == "count" else points, word)(*[field] * (word != "count"))


@query(public=True)
async def by_value(ctx: QueryContext) -> int:
    return len(await ctx.db.query(Point).group_by("value").count())
