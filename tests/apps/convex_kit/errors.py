"""Functions that fail."""

from __future__ import annotations

from synovia import (
    ActionContext,
    ConvexError,
    ConvexValue,
    MutationContext,
    QueryContext,
    action,
    mutation,
    query,
)

from .schema import Message


@query(public=True)
async def fail_query(ctx: QueryContext, data: ConvexValue) -> None:
    raise ConvexError(data)


@mutation(public=True)
async def fail_mutation(ctx: MutationContext, data: ConvexValue) -> None:
    raise ConvexError(data)


@action(public=True)
async def fail_action(ctx: ActionContext, data: ConvexValue) -> None:
    raise ConvexError(data)


@query(public=True)
async def crash_query(ctx: QueryContext) -> None:
    raise RuntimeError("crashed")


@mutation(public=True)
async def crash_mutation(ctx: MutationContext) -> None:
    raise RuntimeError("crashed")


@action(public=True)
async def crash_action(ctx: ActionContext) -> None:
    raise RuntimeError("crashed")


@query(public=True)
async def fail_when(ctx: QueryContext, channel: str) -> int:
    found = await ctx.db.query(Message).using("by_channel", channel=channel).count()
    if found == 1:
        raise ConvexError({"count": found})
    return found
