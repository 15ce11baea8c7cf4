"""An application for tests of workflows that wait in memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from synovia import Id, MutationContext, QueryContext, ScheduledCall, Table, WorkflowContext, mutation, query, workflow

BEGUN: list[str] = []
"""Each time that a workflow was run from its first line."""
CLOSED: list[str] = []


class Line(Table, name="lines"):
    text: str


@mutation(internal=True)
async def write(ctx: MutationContext, text: str) -> str:
    await ctx.db.insert(Line(text=text))
    return text


@workflow
async def following(ctx: WorkflowContext, name: str) -> list[str]:
    """Write down what comes, until it is the end."""
    BEGUN.append(name)
    found: list[str] = []
    try:
        while (news := await ctx.wait_for_event("news")) != "end":
            found.append(await ctx.step(write, f"{name} {news}"))
            await ctx.sleep(timedelta(seconds=1))
    finally:
        CLOSED.append(name)
    return found


@workflow
async def wide(ctx: WorkflowContext, count: int) -> None:
    """Wait for many things at the same time."""
    BEGUN.append("wide")
    await asyncio.gather(*(ctx.wait_for_event(f"news {number}") for number in range(count)))


@workflow
async def holding(ctx: WorkflowContext) -> list[str]:
    """Begin something, and await it later."""
    later = ctx.step(write, "later")
    first = await ctx.step(write, "first")
    return [first, await later]


@mutation(public=True)
async def begin(ctx: MutationContext, path: str, args: dict[str, Any]) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_after(timedelta(), f"news:{path}", args)


@mutation(public=True)
async def send(ctx: MutationContext, call_id: str, name: str, payload: Any = None) -> None:
    assert await ctx.scheduler.send_event(call_id, name, payload)


@query(public=True)
async def lines(ctx: QueryContext) -> list[str]:
    return [each.text for each in await ctx.db.query(Line).collect()]


@query(public=True)
async def status(ctx: QueryContext, call_id: Id[ScheduledCall]) -> str:
    call = await ctx.db.get(ScheduledCall, call_id)
    assert call is not None
    return call.status
