"""Queries and mutations over every shape."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from synovia import (
    Array,
    File,
    FileLimits,
    Float64Array,
    Id,
    MutationContext,
    NotFound,
    Page,
    QueryContext,
    Upload,
    mutation,
    query,
)

from .schema import Animal, Color, Pair, Part, Plain, Role, Secret, Thing


@query(public=True)
async def get(ctx: QueryContext, thing_id: Id[Thing]) -> Thing | None:
    """Read one.

    Args:
        thing_id: Which one; over
            two lines.

    Returns:
        None if there is none.
    """
    return await ctx.db.get(Thing, thing_id)


@query(public=True)
async def list(ctx: QueryContext, limit: Annotated[int, Field(ge=1)] = 50) -> builtins.list[Thing]:
    return await ctx.db.query(Thing).take(limit)


@query(public=True)
async def page(ctx: QueryContext, cursor: str | None = None, limit: int = 50) -> Page[Thing]:
    return await ctx.db.query(Thing).paginate(cursor, limit)


@query(public=True)
async def nothing_needed(ctx: QueryContext) -> None:
    """Take nothing, give nothing."""


@query(public=True)
async def pairs(ctx: QueryContext) -> Pair[int, Pair[str, Animal]]:
    raise NotFound("none")


@query(public=True)
async def colors(ctx: QueryContext) -> tuple[Color, int]:
    return Color.RED, 1


@query(public=True)
async def animals(ctx: QueryContext, kept: Sequence[Animal]) -> Mapping[str, Animal]:
    return {}


@mutation(public=True)
async def save(
    ctx: MutationContext,
    flag: bool,
    big: Annotated[int, Field(le=2**60)],
    ratio: float,
    raw: bytes,
    at: datetime,
    role: Role,
    series: Float64Array,
    pictures: builtins.list[Array],
    parts: builtins.list[Part],
    table: dict[str, builtins.list[int | None]],
    plain: Plain | None = None,
    anything: Any = None,
) -> Id[Thing]:
    """Save a thing."""
    part = parts[0] if parts else Part(owner=Id("nobody"))
    known = {"flag": flag, "big": big, "ratio": ratio, "raw": raw, "at": at, "role": role, "series": series}
    more = {"picture": pictures[0] if pictures else None, "part": part, "anything": anything}
    return await ctx.db.insert(Thing.model_validate({"count": 1, "name": "one", "odd key": 2, "for": 3} | known | more))


@query(internal=True)
async def hidden(ctx: QueryContext) -> Secret:
    raise NotFound("not here")


@mutation(public=True)
async def keep_file(
    ctx: MutationContext, scan: Annotated[Upload, FileLimits(types=("image/*",))], more: Upload | None = None
) -> File:
    """Take a file."""
    return await ctx.files.accept(scan)
