"""An application whose actions wait in pools: slow pictures, a service that takes three requests at once, and mail."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from synovia import (
    ActionContext,
    FunctionError,
    MutationContext,
    Pool,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    cron,
    mutation,
    query,
)

PICTURES = Pool("pictures", parallelism=2)
SERVICE = Pool("service", parallelism=3, across_hubs=True)


class Done(Table, name="done"):
    what: str


class Watch:
    """How many actions run, and at most ran, at the same time; they wait here until they are let go on."""

    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.moved = asyncio.Condition()
        self.open = asyncio.Event()

    async def pass_through(self, what: str) -> None:
        self.running[what] += 1
        self.most[what] = max(self.most[what], self.running[what])
        async with self.moved:
            self.moved.notify_all()
        try:
            await self.open.wait()
        finally:
            self.running[what] -= 1

    async def until(self, what: str, count: int) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.running[what] >= count)


WATCH: list[Watch] = []


@action(internal=True, pool=PICTURES)
async def paint(ctx: ActionContext) -> None:
    await WATCH[-1].pass_through("pictures")
    await ctx.run_mutation("pooled:note", {"what": "picture"})


@action(internal=True, pool="service", retry=Retry(attempts=5, first=timedelta(seconds=1)))
async def ask_service(ctx: ActionContext) -> None:
    await WATCH[-1].pass_through("service")
    await ctx.run_mutation("pooled:note", {"what": "answer"})


@action(internal=True, pool="service", retry=Retry(attempts=3, first=timedelta(seconds=1)))
async def ask_in_vain(ctx: ActionContext) -> None:
    await ctx.run_mutation("pooled:note", {"what": "attempt"})
    raise FunctionError("not_yet", "again")


@action(internal=True)
async def send_mail(ctx: ActionContext) -> None:
    await ctx.mail.send("ann@example.org", "Hello", "A mail")


@cron(every=timedelta(hours=1))
@action(internal=True, pool=PICTURES)
async def hourly(ctx: ActionContext) -> None:
    await ctx.run_mutation("pooled:note", {"what": "hour"})


@mutation(internal=True)
async def note(ctx: MutationContext, what: str) -> None:
    await ctx.db.insert(Done(what=what))


@mutation(public=True)
async def plan(ctx: MutationContext, path: str, times: int = 1) -> None:
    for _ in range(times):
        await ctx.scheduler.run_after(timedelta(0), path)


@query(public=True)
async def done(ctx: QueryContext) -> dict[str, int]:
    return dict(Counter(row.what for row in await ctx.db.query(Done).collect()))


@query(public=True)
async def calls(ctx: QueryContext, status: str) -> list[ScheduledCall]:
    return await ctx.db.query(ScheduledCall).using("by_status", status=status).collect()
