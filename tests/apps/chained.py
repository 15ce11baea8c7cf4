"""A small application for tests: one request leads to another, which leads to a third."""

from __future__ import annotations

from datetime import timedelta

from synovia import ActionContext, MutationContext, Table, action, mutation


class Step(Table):
    name: str


@mutation(public=True)
async def begin(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Step(name=name))
    await ctx.scheduler.run_after(timedelta(), "chained:act", {"name": name})


@action(internal=True)
async def act(ctx: ActionContext, name: str) -> None:
    await ctx.run_mutation("chained:note", {"name": f"{name} again"})


@mutation(internal=True)
async def note(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Step(name=name))
    if name.count("again") < 2:
        await ctx.scheduler.run_after(timedelta(), "chained:note", {"name": f"{name} again"})
