"""An application for tests: notes of several teams with vectors, of which the nearest are found."""

from __future__ import annotations

from typing import Any

from synovia import (
    Condition,
    FunctionError,
    Id,
    Index,
    MutationContext,
    Nearest,
    QueryContext,
    RuleContext,
    Scored,
    SoftDelete,
    Table,
    VectorIndex,
    field,
    may_read,
    mutation,
    query,
)

DIMENSIONS = 3


class Note(
    Table,
    SoftDelete,
    name="notes",
    indexes=[
        Index("by_team", "team"),
        VectorIndex("by_angle", "place", dimensions=DIMENSIONS, filters=("team",)),
        VectorIndex("by_product", "place", dimensions=DIMENSIONS, metric="dot"),
    ],
):
    team: str
    title: str
    place: list[float] | None = None
    level: int = 0


@may_read(Note)
async def of_own_team(ctx: RuleContext) -> Condition | bool:
    return ctx.identity is not None and field("team") == (ctx.identity.email or "").split("@")[0]


def near(
    ctx: QueryContext | MutationContext, vector: list[float], level: int | None, index: str, team: str | None = None
) -> Nearest[Note]:
    found = ctx.db.query(Note).nearest(index, vector, **({} if team is None else {"team": team}))
    return found if level is None else found.where(field("level") == level)


@query(public=True)
async def find(
    ctx: QueryContext, vector: list[float], level: int | None = None, n: int = 5, index: str = "by_angle"
) -> list[list[Any]]:
    return [[each.row.id, each.score] for each in await near(ctx, vector, level, index).scored(n)]


@query(public=True)
async def rows(ctx: QueryContext, vector: list[float]) -> list[Scored[Note]]:
    return await near(ctx, vector, None, "by_angle").scored(2)


@query(public=True)
async def asked(ctx: QueryContext, vector: Any, index: str, n: int = 1, filters: dict[str, Any] | None = None) -> int:
    return len(await ctx.db.query(Note).nearest(index, vector, **(filters or {})).take(n))


@query(public=True)
async def used(ctx: QueryContext, index: str) -> list[Note]:
    return await ctx.db.query(Note).using(index).take(1)


@mutation(public=True)
async def add(
    ctx: MutationContext, team: str, title: str = "", place: list[float] | None = None, level: int = 0
) -> Id[Note]:
    return await ctx.db.insert(Note(team=team, title=title, place=place, level=level))


@mutation(public=True)
async def change(ctx: MutationContext, id: Id[Note], changes: dict[str, Any]) -> None:
    await ctx.db.patch(id, **changes)


@mutation(public=True)
async def remove(ctx: MutationContext, id: Id[Note]) -> None:
    await ctx.db.delete(id)


@mutation(public=True)
async def find_own(ctx: MutationContext, vector: list[float], places: list[list[float]], fail: bool) -> list[str]:
    """Find what this very mutation has written, among the rest."""
    for number, place in enumerate(places):
        await ctx.db.insert(Note(team="north", title=f"new {number}", place=place))
    found = [note.title for note in await near(ctx, vector, None, "by_angle", "north").take(2)]
    if fail:
        raise FunctionError("no", ", ".join(found))
    return found
