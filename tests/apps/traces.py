"""A small application for tests: documents that refer to arrays, and functions that type their arguments loosely."""

from __future__ import annotations

from typing import Any

from synovia import Array, Id, Model, MutationContext, QueryContext, Table, mutation, query


class Channel(Model):
    label: str
    samples: Array


class Trace(Table):
    label: str
    samples: Array | None = None
    channels: list[Channel] = []
    extra: Any = None


@query(public=True)
async def read(ctx: QueryContext, trace_id: Id[Trace]) -> Trace | None:
    return await ctx.db.get(Trace, trace_id)


@mutation(public=True)
async def keep(ctx: MutationContext, samples: Array | None = None) -> Id[Trace]:
    return await ctx.db.insert(Trace(label="kept", samples=samples))


@mutation(public=True)
async def patch(ctx: MutationContext, trace_id: Id[Trace], changes: dict[str, Any]) -> None:
    trace = await ctx.db.get(Trace, trace_id)
    assert trace is not None
    await ctx.db.patch(trace, **changes)


@mutation(public=True)
async def replace(ctx: MutationContext, trace_id: Id[Trace], changes: dict[str, Any]) -> None:
    trace = await ctx.db.get(Trace, trace_id)
    assert trace is not None
    await ctx.db.replace(trace.model_copy(update=changes))


@mutation(public=True)
async def add_channel(ctx: MutationContext, trace_id: Id[Trace], channel: Channel) -> None:
    trace = await ctx.db.get(Trace, trace_id)
    assert trace is not None
    await ctx.db.patch(trace, channels=[*trace.channels, channel])
