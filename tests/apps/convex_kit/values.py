"""Values as they come and go."""

from __future__ import annotations

from typing import Any

from synovia import (
    ActionContext,
    ConvexValue,
    Id,
    Model,
    MutationContext,
    Nullable,
    QueryContext,
    action,
    mutation,
    query,
)

from .schema import Stored


class Optional(Model):
    present: Nullable[str] = None
    absent: str | None = None


@query(public=True)
async def echo(ctx: QueryContext, value: ConvexValue) -> ConvexValue:
    return value


@mutation(public=True)
async def echo_mutation(ctx: MutationContext, value: ConvexValue) -> ConvexValue:
    return value


@action(public=True)
async def echo_action(ctx: ActionContext, value: ConvexValue) -> ConvexValue:
    return value


@mutation(public=True)
async def store(ctx: MutationContext, value: ConvexValue) -> Id[Stored]:
    for row in await ctx.db.query(Stored).collect():
        await ctx.db.delete(row)
    return await ctx.db.insert(Stored(value=value))


@query(public=True)
async def stored(ctx: QueryContext) -> Stored | None:
    return await ctx.db.query(Stored).first()


_KINDS = {str: "string", bytes: "bytes", list: "array", dict: "object", float: "float64"}


@query(public=True)
async def describe(ctx: QueryContext, value: ConvexValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "int64" if isinstance(value, int) else _KINDS[type(value)]


@query(public=True)
async def keys(ctx: QueryContext, obj: dict[str, Any]) -> list[str]:
    return sorted(obj)


@query(public=True)
async def optional(ctx: QueryContext) -> Optional:
    return Optional()


@query(public=True)
async def unheld(ctx: QueryContext) -> dict[str, int]:
    return {"größe": 1}


@query(public=True)
async def takes_args(ctx: QueryContext, args: dict[str, int]) -> dict[str, int]:
    return args
