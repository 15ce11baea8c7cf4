"""Findings of a ward, which its members read in every way there is; each says who had been dismissed when it was written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from synovia import (
    AggregateIndex,
    Array,
    Condition,
    Index,
    MutationContext,
    QueryContext,
    RuleContext,
    Scored,
    SearchIndex,
    Table,
    VectorIndex,
    field,
    may_read,
    mutation,
    query,
    require_identity,
    roles,
)


class Member(Table, name="members", indexes=[Index("by_auth", "auth_id", unique=True)]):
    auth_id: str
    ward: str = "w"


class Dismissed(Table, name="dismissed"):
    auth_id: str


class Finding(
    Table,
    name="findings",
    indexes=[
        SearchIndex("by_text", "text", filters=("ward",)),
        VectorIndex("by_meaning", "vector", dimensions=2, filters=("ward",)),
        AggregateIndex("by_number", "ward", "number", sums=("one",)),
    ],
):
    number: int
    dismissed: Annotated[list[str], Field(max_length=100)]
    ward: str = "w"
    text: str = "knee"
    one: int = 1
    vector: list[float] = [1.0, 2.0]
    samples: Array | None = None


async def membership(ctx: QueryContext | RuleContext) -> Member | None:
    if ctx.identity is None:
        return None
    return await ctx.db.query(Member).using("by_auth", auth_id=ctx.identity.key).unique()


@roles({"member": set()})
async def roles_of(ctx: QueryContext) -> set[str]:
    found = await ctx.db.query(Member).using("by_auth", auth_id=require_identity(ctx).key).unique()
    return set() if found is None else {"member"}


@may_read(Finding)
async def of_own_ward(ctx: RuleContext) -> Condition | bool:
    member = await membership(ctx)
    return member is not None and field("ward") == member.ward


@may_read(Member, Dismissed)
async def by_everybody(ctx: RuleContext) -> bool:
    return True


@mutation(internal=True)
async def admit(ctx: MutationContext, auth_id: str) -> None:
    await ctx.db.insert(Member(auth_id=auth_id))


@mutation(internal=True)
async def dismiss(ctx: MutationContext, auth_id: str) -> int:
    """Give how many findings there are."""
    member = await ctx.db.query(Member).using("by_auth", auth_id=auth_id).unique()
    assert member is not None
    await ctx.db.delete(member)
    await ctx.db.insert(Dismissed(auth_id=auth_id))
    return await ctx.db.query(Finding).count()


@mutation(internal=True)
async def find(ctx: MutationContext, number: int, samples: Array | None = None) -> None:
    dismissed = [each.auth_id for each in await ctx.db.query(Dismissed).collect()]
    await ctx.db.insert(Finding(number=number, dismissed=dismissed, samples=samples))


@query(public=True)
async def listed(ctx: QueryContext) -> list[Finding]:
    return await ctx.db.query(Finding).collect()


@query(role="member")
async def by_role(ctx: QueryContext) -> list[Finding]:
    return await ctx.as_application().db.query(Finding).collect()


@query(public=True)
async def searched(ctx: QueryContext) -> list[Finding]:
    return await ctx.db.query(Finding).search("by_text", "knee", ward="w").take(100)


@query(public=True)
async def nearest(ctx: QueryContext) -> list[Scored[Finding]]:
    return await ctx.db.query(Finding).nearest("by_meaning", [1.0, 1.0], ward="w").scored(100)


@query(public=True)
async def newest(ctx: QueryContext) -> list[Finding]:
    found = await ctx.db.query(Finding).aggregate("by_number", ward="w").at(-1)
    return [] if found is None else [found]


@query(public=True)
async def counted(ctx: QueryContext) -> dict[str, Any]:
    kept, read = ctx.db.query(Finding).aggregate("by_number", ward="w"), ctx.db.query(Finding)
    groups = await read.group_by("ward").count()
    return {
        "kept": await kept.count(),
        "kept sum": await kept.sum("one"),
        "read": await read.count(),
        "read sum": await read.sum("one"),
        "groups": sum(groups.values()),
    }
