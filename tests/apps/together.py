"""An application for tests: plans that a team writes together, and their chat, which everybody may read and nobody write."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from synovia import (
    Id,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    RuleContext,
    SharedChanges,
    SharedDifference,
    SharedDoc,
    SharedVersion,
    Table,
    may_read,
    may_write,
    mutation,
    query,
)

Names = Annotated[list[str], Field(max_length=20)]


class Plan(Table, name="plans"):
    title: str
    readers: Names = []
    writers: Names = []
    text: ClassVar[SharedDoc] = SharedDoc(max_bytes=256 * 1024)
    goals: ClassVar[SharedDoc] = SharedDoc()


class Who(Model):
    name: str


def _name(ctx: QueryContext | RuleContext) -> str:
    return "" if ctx.identity is None else (ctx.identity.email or "").partition("@")[0]


@may_read(Plan)
async def those_named(ctx: RuleContext, plan: Plan) -> bool:
    return ctx.trusted or _name(ctx) in (*plan.readers, *plan.writers)


@may_write(Plan)
async def writers(ctx: RuleContext, plan: Plan) -> bool:
    return ctx.trusted or _name(ctx) in plan.writers


@query(signed_in=True)
async def text(ctx: QueryContext, id: Id[Plan], since: int | None = None) -> SharedChanges:
    return await ctx.shared.changes(Plan.text, id, since)


@mutation(signed_in=True)
async def write_text(ctx: MutationContext, id: Id[Plan], update: bytes) -> None:
    await ctx.shared.append(Plan.text, id, update)


@query(signed_in=True, presence=True)
async def room(ctx: QueryContext, id: Id[Plan]) -> Who:
    if await ctx.db.get(id) is None:
        raise NotFound("there is no such plan")
    return Who(name=_name(ctx).title())


@query(signed_in=True)
async def texts(ctx: QueryContext, id: Id[Plan], version: str | None = None) -> dict[str, str]:
    return await ctx.shared.texts(Plan.text, id, version)


@query(signed_in=True)
async def versions(ctx: QueryContext, id: Id[Plan]) -> list[SharedVersion]:
    return await ctx.shared.versions(Plan.text, id)


@query(signed_in=True)
async def compare(ctx: QueryContext, id: Id[Plan], before: str, after: str | None = None) -> list[SharedDifference]:
    return await ctx.shared.compare(Plan.text, id, before, after)


@mutation(signed_in=True)
async def keep(ctx: MutationContext, id: Id[Plan], name: str) -> str:
    return await ctx.shared.keep_version(Plan.text, id, name)


@mutation(signed_in=True)
async def forget(ctx: MutationContext, id: Id[Plan], version: str) -> None:
    await ctx.shared.forget_version(Plan.text, id, version)


@mutation(signed_in=True)
async def restore(ctx: MutationContext, id: Id[Plan], version: str) -> None:
    await ctx.shared.restore(Plan.text, id, version)


@mutation(signed_in=True)
async def add(ctx: MutationContext, title: str, readers: Names | None = None, writers: Names | None = None) -> Id[Plan]:
    plan = Plan(title=title, readers=readers or [], writers=[_name(ctx), *(writers or [])])
    return await ctx.as_application().db.insert(plan)


@mutation(signed_in=True)
async def share(ctx: MutationContext, id: Id[Plan], readers: Names, writers: Names) -> None:
    """Whoever asks is trusted here: it stands for what an administrator does."""
    await ctx.as_application().db.patch(id, readers=readers, writers=writers)


@mutation(signed_in=True)
async def remove(ctx: MutationContext, id: Id[Plan]) -> None:
    await ctx.db.delete(id)
