"""An application whose scheduled calls fail in every way there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from synovia import (
    ActionContext,
    FunctionError,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    action,
    cron,
    mutation,
    query,
)


class Note(Table, name="notes"):
    text: str


@mutation(internal=True)
async def refuse(ctx: MutationContext) -> None:
    raise FunctionError("no_good", "this never works")


@mutation(internal=True)
async def break_down(ctx: MutationContext) -> None:
    raise RuntimeError("broken")


@mutation(internal=True)
async def ask_wrongly(ctx: MutationContext) -> None:
    await ctx.db.query(Note).using("by_" + "nothing", text="x").collect()  # written out it would be refused at start


@mutation(internal=True)
async def needs_text(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Note(text=text))


@action(internal=True)
async def act_and_refuse(ctx: ActionContext) -> None:
    raise FunctionError("no_good", "this never works either", {"id": "of the application, no reference"})


@action(internal=True)
async def act_and_break(ctx: ActionContext) -> None:
    await ctx.run_mutation("failing:break_down")


@action(internal=True, retry=Retry(attempts=2, first=timedelta(seconds=10)))
async def act_twice(ctx: ActionContext) -> None:
    raise FunctionError("not_yet", "again, please")


@cron(every=timedelta(hours=1))
@mutation(internal=True)
async def hourly(ctx: MutationContext) -> None:
    raise FunctionError("no_good", "never on the hour")


@mutation(public=True)
async def later(ctx: MutationContext, path: str, args: dict[str, Any], seconds: int = 0) -> str:
    return await ctx.scheduler.run_after(timedelta(seconds=seconds), path, args)


@query(public=True)
async def failed(ctx: QueryContext) -> list[ScheduledCall]:
    return await ctx.db.query(ScheduledCall).using("by_status", status="failed").collect()
