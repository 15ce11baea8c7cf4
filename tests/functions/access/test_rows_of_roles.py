"""Who is read to find a caller's roles is not read and made once more for the function, nor for a rerun of a live query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import Index, MutationContext, QueryContext, Table, mutation, query, require_identity, roles
from synovia.auth.development import development_identity
from synovia.functions.registry import collect

ANN = development_identity("ann@example.org")


class Member(Table, name="rolesMembers", indexes=[Index("by_key", "key", unique=True)]):
    key: str


class Note(Table, name="rolesNotes"):
    text: str


SEEN: list[Member | None] = []


async def member_of(ctx: QueryContext) -> Member | None:
    SEEN.append(await ctx.db.query(Member).using("by_key", key=require_identity(ctx).key).unique())
    return SEEN[-1]


@roles({"member": {"notes"}})
async def roles_of(ctx: QueryContext) -> str | None:
    return None if await member_of(ctx) is None else "member"


@mutation(signed_in=True)
async def join(ctx: MutationContext) -> None:
    await ctx.db.insert(Member(key=require_identity(ctx).key))


@mutation(capability="notes")
async def write(ctx: MutationContext) -> None:
    await member_of(ctx)
    await ctx.db.insert(Note(text="x"))


@query(capability="notes")
async def count(ctx: QueryContext) -> int:
    await member_of(ctx)
    return len(await ctx.db.query(Note).collect())


REGISTRY = collect("rows_of_roles", [__import__(__name__, fromlist=["join"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


@pytest.fixture(autouse=True)
def _nobody_seen() -> Iterator[None]:
    SEEN.clear()
    yield
    SEEN.clear()


async def test_a_mutation_is_given_the_row_by_which_its_caller_was_admitted() -> None:
    async with running_engine(REGISTRY) as engine:
        assert (await engine.mutate(PATHS["join"], {}, ANN)).error is None
        assert (await engine.mutate(PATHS["write"], {}, ANN)).error is None
    first, second = SEEN
    assert first is not None
    assert first is second


async def test_a_live_query_is_given_the_row_of_its_run_before() -> None:
    async with running_engine(REGISTRY) as engine:
        assert (await engine.mutate(PATHS["join"], {}, ANN)).error is None
        subscriber = RecordingSubscriber(engine)
        subscriber.subscribe("notes", PATHS["count"], {}, ANN)
        await subscriber.settled()
        SEEN[2:] = []
        written = await engine.mutate(PATHS["write"], {}, ANN)
        SEEN[2:4] = []  # what the mutation was given
        await subscriber.settled(written.ts or 0)
        assert subscriber.value("notes") == 1
    first, *others = SEEN
    assert first is not None
    assert len(others) == 3
    assert all(each is first for each in others)
