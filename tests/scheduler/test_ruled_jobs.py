"""A job goes over what the rules show to whoever begins it, whatever the function forgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import write_application
from synovia import FunctionError
from synovia.testing import Caller, TestApp

SOURCE = """
from typing import Annotated, Literal

class Member(Table, name="members", indexes=[Index("by_auth", "auth_id")]):
    auth_id: str
    tenant: str

class Ticket(Table, SoftDelete, name="tickets", indexes=[Index("by_tenant", "tenant"), Index("by_rank", "rank")]):
    tenant: str
    rank: int = 0
    met: int = 0

class Secret(Table, name="secrets"):
    tenant: str
    met: int = 0

async def tenants(ctx: QueryContext) -> list[str]:
    members = await ctx.db.query(Member).using("by_auth", auth_id=require_identity(ctx).key).collect()
    return [each.tenant for each in members]

@may_read(Ticket)
async def of_own_tenants(ctx: RuleContext) -> Condition | bool:
    own = [] if ctx.identity is None else await tenants(ctx)
    return field("tenant") == own[0] if len(own) == 1 else field("tenant").in_(own)

@may_read(Secret)
async def one_by_one(ctx: RuleContext, row: Secret) -> bool:
    return row.tenant in await tenants(ctx)

@may_read(Member)
async def nobody(ctx: RuleContext) -> bool:
    return False

@mutation(public=True)
async def prepare(ctx: MutationContext, count: int) -> None:
    db = ctx.as_application().db
    for name, own in {"ann": ["a"], "ben": ["b"], "sue": ["a", "b"]}.items():
        await db.insert_many([Member(auth_id=f"dev|{name}@example.org", tenant=each) for each in own])
    await db.insert_many([Ticket(tenant=each, rank=n) for n in range(count) for each in "abc"])
    await db.insert_many([Secret(tenant=each) for each in "abc"])

@job
async def meet(ctx: MutationContext, tickets: list[Ticket]) -> None:
    for each in tickets:
        await ctx.db.patch(each, met=each.met + 1)

@job
async def meet_secrets(ctx: MutationContext, secrets: list[Secret]) -> None:
    for each in secrets:
        await ctx.db.patch(each, met=each.met + 1)

How = Literal["all", "by_rank", "theirs", "application"]

@mutation(public=True)
async def begin(ctx: MutationContext, how: How) -> Id[ScheduledCall]:
    query = ctx.db.query(Ticket)
    match how:
        case "by_rank":
            query = query.using("by_rank", rank=ge(1)).order("desc")
        case "theirs":
            query = query.using("by_tenant", tenant="b")
        case "application":
            query = ctx.as_application().db.query(Ticket)
    return await ctx.scheduler.run_job(meet, query)

@mutation(public=True)
async def begin_secrets(ctx: MutationContext, all: bool = False) -> None:
    of = ctx.as_application() if all else ctx
    await ctx.scheduler.run_job(meet_secrets, of.db.query(Secret))

@query(public=True)
async def met(ctx: QueryContext) -> dict[str, int]:
    return await ctx.as_application().db.query(Ticket).group_by("tenant").sum("met")

@query(public=True)
async def progress(ctx: QueryContext, call_id: Id[ScheduledCall]) -> JobProgress | None:
    call = await ctx.as_application().db.get(call_id)
    return None if call is None else call.progress
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_application(tmp_path, SOURCE)


def person(app: TestApp, name: str) -> Caller:
    return app.caller(f"{name}@example.org")


@pytest.mark.parametrize(
    ("who", "how", "expected"),
    [
        ("ann", "all", {"a": 40, "b": 0, "c": 0}),
        ("ann", "by_rank", {"a": 39, "b": 0, "c": 0}),
        ("ann", "theirs", {"a": 0, "b": 0, "c": 0}),
        ("ann", "application", {"a": 40, "b": 40, "c": 40}),
        ("ben", "theirs", {"a": 0, "b": 40, "c": 0}),
        ("sue", "all", {"a": 40, "b": 40, "c": 0}),
        ("sue", "by_rank", {"a": 39, "b": 39, "c": 0}),
        ("nobody", "all", {"a": 0, "b": 0, "c": 0}),
    ],
)
async def test_only_what_is_shown_is_met(path: Path, who: str, how: str, expected: dict[str, int]) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:prepare", {"count": 40})
        await person(app, who).mutation(f"{path.stem}:begin", {"how": how})
        await app.advance()
        assert await app.caller().query(f"{path.stem}:met") == expected


async def test_what_the_application_begins_goes_over_all(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:prepare", {"count": 3})
        await app.trusted.mutation(f"{path.stem}:begin", {"how": "all"})
        await app.advance()
        assert await app.caller().query(f"{path.stem}:met") == {"a": 3, "b": 3, "c": 3}


async def test_the_progress_of_a_tenants_job_counts_the_tenants_rows(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:prepare", {"count": 40})
        call = await person(app, "ann").mutation(f"{path.stem}:begin", {"how": "all"})
        await app.advance()
        assert await app.caller().query(f"{path.stem}:progress", {"callId": call}) == {"done": 40, "estimate": 40}


async def test_rows_of_which_a_rule_is_asked_one_by_one_are_only_the_applications(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:prepare", {"count": 1})
        with pytest.raises(FunctionError, match=r"say ctx\.as_application\(\)\.db\.query\(Secret\)") as refused:
            await person(app, "ann").mutation(f"{path.stem}:begin_secrets")
        assert refused.value.code == "invalid_arguments"
        await person(app, "ann").mutation(f"{path.stem}:begin_secrets", {"all": True})
        await app.advance()
