"""An application for tests of the scheduler: tally that count how often they were run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any

from synovia import (
    ActionContext,
    Array,
    Attachment,
    FunctionError,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    field,
    mutation,
    query,
)


class Tally(Table, name="tallies", indexes=[Index("by_name", "name", unique=True)]):
    name: str
    count: int = 0
    at: list[int] = []


async def add_to(ctx: MutationContext, name: str, by: int = 1) -> int:
    tally = await ctx.db.query(Tally).using("by_name", name=name).unique()
    if tally is None:
        await ctx.db.insert(Tally(name=name, count=by, at=[ctx.now]))
        return by
    return (await ctx.db.patch(tally, count=tally.count + by, at=[*tally.at, ctx.now])).count


@mutation(public=True)
async def add(ctx: MutationContext, name: str, by: int = 1) -> int:
    return await add_to(ctx, name, by)


@mutation(internal=True)
async def add_then_fail(ctx: MutationContext, name: str) -> None:
    await add_to(ctx, name)
    raise FunctionError("no_good", "this never works", {"name": name})


@mutation(internal=True)
async def add_then_break(ctx: MutationContext, name: str) -> None:
    await add_to(ctx, name)
    raise RuntimeError("broken")


@mutation(internal=True)
async def insert_tally(ctx: MutationContext, name: str) -> Id[Tally]:
    return await ctx.db.insert(Tally(name=name))


class Stride(Enum):
    SHORT = "short"
    LONG = "long"


class Rank(StrEnum):
    FIRST = "first"


@mutation(internal=True)
async def stride(ctx: MutationContext, rank: Rank, strides: list[Stride], at_last: Stride | None = None) -> None:
    assert rank is Rank.FIRST
    await add_to(ctx, "strides", sum(10 if each is Stride.LONG else 1 for each in [*strides, at_last]))


@mutation(public=True)
async def stride_later(ctx: MutationContext) -> None:
    await ctx.scheduler.run_after(timedelta(), stride, Rank.FIRST, [Stride.LONG, Stride.SHORT], at_last=Stride.LONG)
    await ctx.scheduler.run_many(stride, [{"rank": Rank.FIRST, "strides": [Stride.LONG]}])


@mutation(internal=True)
async def keep(ctx: MutationContext, samples: Array, extra: dict[str, Any]) -> None:
    extra["ref"]  # an array reference in an untyped place comes as one, too
    assert extra["ref"] == samples
    await add_to(ctx, f"{samples.dtype} {samples.length}")


@action(public=True)
async def add_by_action(ctx: ActionContext, name: str, fail_until: int = 0) -> int:
    count: int = await ctx.run_mutation("tally:add", {"name": name})
    if count < fail_until:
        raise FunctionError("not_yet", f"{name}: {count}")
    return count


@action(internal=True, retry=Retry(attempts=3, first=timedelta(seconds=10), factor=3))
async def add_thrice(ctx: ActionContext, name: str) -> None:
    await ctx.run_mutation("tally:add", {"name": name})
    raise FunctionError("not_yet", name)


class Gate:
    """Where an action waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()


GATES: dict[str, Gate] = {}


@action(internal=True)
async def gated(ctx: ActionContext, name: str = "gate") -> None:
    await ctx.run_mutation("tally:add", {"name": name})
    GATES[name].reached.set()
    await GATES[name].open.wait()


@action(internal=True, retry=Retry(attempts=2, first=timedelta(seconds=1)))
async def gated_twice(ctx: ActionContext, name: str) -> None:
    await gated(ctx, name)


@action(internal=True)
async def send_mail(ctx: ActionContext, to: str, subject: str, text: str) -> None:
    await ctx.mail.send(to, subject, text)


@action(internal=True)
async def send_ticket(ctx: ActionContext, to: list[str], name: str = "ticket.pdf", size: int = 9) -> None:
    ticket = Attachment(name, b"%PDF-1.7\n"[:size].ljust(size), "application/pdf")
    await ctx.mail.send(
        to, "Your ticket", "It is attached.", html="<p>It is <b>attached</b>.</p>", attachments=[ticket],
        reply_to="box-office@example.org",
    )  # fmt: skip


# --- scheduling


@mutation(public=True)
async def later(
    ctx: MutationContext, path: str, args: dict[str, Any], seconds: float = 0.0, fails: bool = False, times: int = 1
) -> str:
    ids = [await ctx.scheduler.run_after(timedelta(seconds=seconds), path, args) for _ in range(times)]
    if fails:
        raise FunctionError("changed_my_mind", "roll everything back")
    return ids[0]


@mutation(public=True)
async def at(ctx: MutationContext, when: Any, path: str) -> str:
    return await ctx.scheduler.run_at(when, path, {"name": "at"})


@mutation(public=True)
async def later_with_retry(ctx: MutationContext, path: str, args: dict[str, Any], attempts: int) -> str:
    retry = Retry(attempts=attempts, first=timedelta(seconds=1), factor=2, limit=timedelta(seconds=3))
    return await ctx.scheduler.run_after(timedelta(0), path, args, retry=retry)


@mutation(public=True)
async def cancel(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@mutation(public=True)
async def change_of_mind(ctx: MutationContext) -> bool:
    call_id = await ctx.scheduler.run_after(timedelta(0), "tally:add", {"name": "never"})
    return await ctx.scheduler.cancel(call_id)


@mutation(internal=True)
async def again(ctx: MutationContext, name: str, times: int, seconds: float = 0.0) -> None:
    await add_to(ctx, name)
    if times > 1:
        args = {"name": name, "times": times - 1, "seconds": seconds}
        await ctx.scheduler.run_after(timedelta(seconds=seconds), "tally:again", args)


@action(public=True)
async def later_by_action(ctx: ActionContext, path: str, args: dict[str, Any], fails: bool = False) -> str:
    call_id = await ctx.scheduler.run_after(timedelta(seconds=5), path, args)
    if fails:
        raise FunctionError("too_late", "an action takes nothing back")
    return call_id


@action(public=True)
async def cancel_by_action(ctx: ActionContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@mutation(public=True)
async def meddle(ctx: MutationContext, call_id: str) -> None:
    found = await ctx.db.get(ScheduledCall, Id(call_id))
    assert found is not None
    await ctx.db.delete(found)


# --- looking


@query(public=True)
async def tallies(ctx: QueryContext) -> dict[str, int]:
    return {tally.name: tally.count for tally in await ctx.db.query(Tally).collect()}


@query(public=True)
async def times(ctx: QueryContext, name: str) -> list[int]:
    tally = await ctx.db.query(Tally).using("by_name", name=name).unique()
    return [] if tally is None else tally.at


@query(public=True)
async def call(ctx: QueryContext, call_id: str) -> ScheduledCall | None:
    return await ctx.db.get(ScheduledCall, Id(call_id))


@query(public=True)
async def calls(ctx: QueryContext, status: str) -> list[ScheduledCall]:
    return await ctx.db.query(ScheduledCall).using("by_status", status=status).where(field("path") != "x").take(1000)


@query(public=True)
async def how_many(ctx: QueryContext, status: str) -> int:
    return await ctx.db.query(ScheduledCall).using("by_status", status=status).count()
