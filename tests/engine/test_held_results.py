"""Results of live queries that somebody holds have a budget of bytes: beyond it a query fails, others' do not."""

from __future__ import annotations

import tracemalloc

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import MutationContext, QueryContext, Table, mutation, query
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.functions.registry import collect
from synovia.identity import Account
from synovia_protocol.errors import ErrorCode

MIB = 1 << 20


class Page(Table, name="pages"):
    number: int
    words: int


@query(public=True)
async def words(ctx: QueryContext, number: int) -> list[str]:
    """Give about 600 bytes for each word."""
    pages = [page for page in await ctx.db.query(Page).collect() if page.number == number]
    return [
        f"{number} {place} {'x' * 500}" for page in pages or [Page(number=0, words=50)] for place in range(page.words)
    ]


@mutation(public=True)
async def write(ctx: MutationContext, number: int, words: int) -> None:
    for page in await ctx.db.query(Page).collect():
        if page.number == number:
            await ctx.db.delete(page)
    await ctx.db.insert(Page(number=number, words=words))


REGISTRY = collect("book", [__import__(__name__, fromlist=["words"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


def hold(holder: RecordingSubscriber, number: int, address: str) -> LiveQuery:
    account = Account(address, 1)
    live = holder.engine.subscribe(holder, PATHS["words"], {"number": number}, None, account=account)
    holder.held[f"{address} {number}"] = live
    return live


async def change(engine: Engine, holder: RecordingSubscriber, number: int, words: int) -> None:
    outcome = await engine.mutate(PATHS["write"], {"number": number, "words": words}, None)
    assert outcome.error is None
    await holder.settled(outcome.ts or 0)


def failed(holder: RecordingSubscriber) -> list[str]:
    return [name for name in holder.held if holder.version(name).error is not None]


@pytest.mark.slow
async def test_300_subscriptions_of_one_address_take_no_more_than_its_budget_and_others_notice_nothing() -> None:
    async with running_engine(REGISTRY, max_held_bytes_per_address=2 * MIB) as engine:
        loud, quiet = RecordingSubscriber(engine), RecordingSubscriber(engine)
        tracemalloc.start()
        for number in range(300):
            hold(loud, number, "loud")
        await loud.settled()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        results = engine.live.results
        assert 1.9 * MIB < results.bytes <= 2 * MIB
        assert results.refused == len(failed(loud)) > 200
        error = loud.version(failed(loud)[0]).error
        assert error is not None
        assert error.code == ErrorCode.LIMIT_EXCEEDED
        assert error.data is not None
        assert error.data["limit"] == "bytes"
        assert error.data["most"] == 2 * MIB
        assert error.data["held"] + error.data["size"] > 2 * MIB
        assert taken < 6 * MIB, "300 results have 15 MB, encoded and decoded"
        hold(quiet, 1000, "quiet")
        await quiet.settled()
        assert failed(quiet) == []


async def test_who_lets_go_of_some_has_room_for_others() -> None:
    async with running_engine(REGISTRY, max_held_bytes_per_address=MIB // 4) as engine:
        holder = RecordingSubscriber(engine)
        for number in range(20):
            hold(holder, number, "x")
        await holder.settled()
        late = failed(holder)
        assert 0 < len(late) < 20
        for name in [name for name in holder.held if name not in late]:
            holder.unsubscribe(name)
        again = hold(holder, int(late[0].split()[1]), "x")
        await holder.settled()
        assert not again.is_refused
        assert len(holder.value(late[0])) == 50


async def test_nothing_is_kept_of_a_refused_query_that_nobody_holds_any_more() -> None:
    async with running_engine(REGISTRY, max_held_bytes_per_address=MIB // 4) as engine:
        holder = RecordingSubscriber(engine)
        await change(engine, holder, 7, 1_000)
        hold(holder, 7, "x")
        await holder.settled()
        assert failed(holder) == ["x 7"]
        holder.unsubscribe("x 7")
        assert len(engine.live) == len(engine.live.lingering) == 0


async def test_a_result_that_grows_beyond_the_room_is_told_of_and_comes_back_when_it_fits() -> None:
    async with running_engine(REGISTRY, max_held_bytes_per_address=MIB // 4) as engine:
        holder = RecordingSubscriber(engine)
        live = hold(holder, 1, "x")
        await holder.settled()
        before = engine.live.results.bytes
        assert before > 0
        for _ in range(2):
            await change(engine, holder, 1, 1_000)
            assert failed(holder) == ["x 1"]
            assert engine.live.results.bytes == 0
            assert live.held_size() < 10_000, "also earlier results are let go"
            assert live.recall.documents == 0
            await change(engine, holder, 1, 50)
            assert failed(holder) == []
            assert len(holder.value("x 1")) == 50


async def test_what_two_hold_is_charged_to_the_other_when_the_first_has_left() -> None:
    async with running_engine(REGISTRY) as engine:
        first, second = RecordingSubscriber(engine), RecordingSubscriber(engine)
        hold(first, 1, "first")
        hold(second, 1, "second")
        await second.settled()
        budget = engine.live.results._budget
        assert (budget.bytes_of("first") > 0, budget.bytes_of("second")) == (True, 0)
        first.unsubscribe("first 1")
        assert (budget.bytes_of("first"), budget.bytes_of("second") > 0) == (0, True)
        second.unsubscribe("second 1")
        assert budget.bytes == 0


async def test_who_comes_back_to_a_query_is_charged_again_also_for_what_it_remembers() -> None:
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        await change(engine, holder, 1, 10)
        hold(holder, 1, "x")
        await holder.settled()
        charged = engine.live.remembered.bytes
        assert charged > 0
        holder.unsubscribe("x 1")
        assert (engine.live.results.bytes, engine.live.remembered.bytes) == (0, 0)
        hold(holder, 1, "x")
        assert engine.live.results.bytes > 0
        assert engine.live.remembered.bytes == charged


@pytest.mark.parametrize(("words", "fits"), [(50, True), (2_000, False)])
async def test_when_all_are_full_everybody_still_has_an_equal_share(words: int, fits: bool) -> None:
    async with running_engine(REGISTRY, max_held_bytes=MIB, max_held_bytes_per_address=2 * MIB) as engine:
        loud, quiet = RecordingSubscriber(engine), RecordingSubscriber(engine)
        await change(engine, quiet, 1000, words)
        for number in range(100):
            hold(loud, number, "loud")
        await loud.settled()
        assert failed(loud)
        hold(quiet, 1000, "quiet")
        await quiet.settled()
        assert (failed(quiet) == []) == fits


async def test_the_servers_own_queries_always_have_room() -> None:
    async with running_engine(REGISTRY, max_held_bytes=MIB // 4) as engine:
        holder = RecordingSubscriber(engine)
        for number in range(20):
            holder.subscribe(str(number), PATHS["words"], {"number": number})
        await holder.settled()
        assert failed(holder) == []
