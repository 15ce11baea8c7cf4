"""The application of the benchmark of shared documents: a text that anybody may read and write."""

from __future__ import annotations

from typing import ClassVar

from synovia import Id, MutationContext, QueryContext, SharedChanges, SharedDoc, Table, mutation, query


class Plan(Table, name="plans"):
    """What a text belongs to."""

    title: str
    text: ClassVar[SharedDoc] = SharedDoc()


@query(public=True)
async def text(ctx: QueryContext, plan_id: Id[Plan], since: int | None = None) -> SharedChanges:
    return await ctx.shared.changes(Plan.text, plan_id, since)


@mutation(public=True)
async def write_text(ctx: MutationContext, plan_id: Id[Plan], update: bytes) -> None:
    await ctx.shared.append(Plan.text, plan_id, update)


@mutation(public=True)
async def add(ctx: MutationContext) -> Id[Plan]:
    return await ctx.db.insert(Plan(title="a plan"))
