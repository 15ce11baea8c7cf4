"""Large arguments are held as the bytes that they came as, not as lists and numbers, and are what they were all the same."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from helpers.sync_server import client_of, fresh_board, serving
from helpers.waiting import until
from synovia import Index, MutationContext, QueryContext, Table, mutation, query
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery, Version
from synovia.functions.registry import collect
from synovia.identity import Identity
from synovia_protocol import codec

MANY = 5_003
"""Nothing else has a list of this length."""


class Level(Table, name="levels", indexes=[Index("by_rank", "rank")]):
    rank: int


@mutation(public=True)
async def add(ctx: MutationContext, rank: int) -> None:
    await ctx.db.insert(Level(rank=rank))


@query(public=True)
async def weighed(ctx: QueryContext, weights: list[float], names: dict[str, list[int]] | None = None) -> float:
    levels = await ctx.db.query(Level).using("by_rank").collect()
    return sum(weights) * len(levels) + sum(map(len, (names or {}).values()))


@query(signed_in=True)
async def of_caller(ctx: QueryContext, weights: list[float]) -> str:
    return f"{ctx.identity} {len(weights)} {weights[-1]}"


REGISTRY = collect("many", [__import__(__name__, fromlist=["add"])])
PREFIX = next(iter(REGISTRY.functions)).partition(":")[0]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "numbers": {"weights": [0.5] * MANY},
    "nested values": {"weights": [1.0], "names": {f"n{n}": [1] * 3 for n in range(MANY)}},
}


@pytest.fixture(scope="module", autouse=True)
def _what_others_have_left() -> None:
    """Keep what earlier tests of the process have left from being looked at: that may be millions of objects."""
    gc.collect()
    gc.freeze()


def held_lists() -> int:
    gc.collect()
    return sum(type(each) in (list, dict, tuple) and len(each) == MANY for each in gc.get_objects())


def version_of(engine: Engine, live: LiveQuery) -> Version:
    version = live.version_at(engine.head)
    assert version is not None
    return version


def value_of(engine: Engine, live: LiveQuery) -> Any:
    return codec.unpack(version_of(engine, live).packed or b"")


@pytest.mark.parametrize("kind", ARGUMENTS)
async def test_a_live_query_with_large_arguments_holds_no_lists_and_is_run_again_with_them(kind: str) -> None:
    args = codec.unpack(codec.pack(ARGUMENTS[kind]))
    each = sum(args["weights"])
    more = 3 * MANY if "names" in args else 0
    async with running_engine(REGISTRY) as engine:
        before = held_lists()
        holder = RecordingSubscriber(engine)
        live = holder.subscribe("it", f"{PREFIX}:weighed", args)
        del args
        await holder.settled()
        assert value_of(engine, live) == more
        assert held_lists() < before, "the arguments that were made here are gone, and nothing of them has come"
        await engine.mutate(f"{PREFIX}:add", {"rank": 1}, None)
        await holder.settled()
        assert value_of(engine, live) == each + more
        assert live.wire_arguments() == ARGUMENTS[kind]


async def test_large_arguments_that_do_not_fit_are_told_to_whoever_may_call() -> None:
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        wrong = {"weights": [*[0.5] * MANY, "no number"]}
        live = holder.subscribe("it", f"{PREFIX}:of_caller", wrong, Identity("test", "ana"))
        nobody = holder.subscribe("other", f"{PREFIX}:of_caller", wrong, None)
        await holder.settled()
        told = [version_of(engine, each).error for each in (live, nobody)]
        assert [each and each.code for each in told] == ["invalid_arguments", "unauthenticated"]


async def test_mutations_that_wait_for_one_before_them_hold_no_lists_and_run_with_their_arguments() -> None:
    async with serving() as running, client_of(running) as client:
        notes = fresh_board()
        _, first = client.mutation("notes:post_when_open", {"board": "a", "text": "first"})
        await client.send(first)
        await until(lambda: notes.started == ["first"])
        before = held_lists()
        asked, frame = client.mutation("notes:measure", {"numbers": list(range(MANY))})
        await client.send(frame)
        await until(lambda: running.hub.conversations[0].waiting_mutations == 1)
        assert held_lists() == before
        notes.gate.set()
        assert (await client.response(asked)).result == sum(range(MANY))
