"""A live query that takes too long fails alone; it neither keeps others waiting nor the log's window open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest

from helpers.patience import PATIENCE
from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import Id, Index, MutationContext, QueryContext, Table, mutation, query
from synovia.engine import live_queries, log
from synovia.engine.engine import Engine
from synovia.engine.log import Log
from synovia.functions.registry import collect
from synovia.identity import Account
from synovia.schema import IdClock
from synovia.store.base import Commit, Gap, Write
from synovia.store.sqlite import walk
from synovia.store.sqlite.reading import Reader
from synovia_protocol.errors import ErrorCode


class Part(Table, name="parts", indexes=[Index("by_kind", "kind")]):
    kind: str


stuck = True
runs = 0
running = 0


@query(public=True)
async def slow(ctx: QueryContext, kind: str, number: int = 0) -> int:
    global runs, running
    runs += 1
    running += 1
    try:
        parts = await ctx.db.query(Part).using("by_kind", kind=kind).collect()
        if stuck:
            await asyncio.Event().wait()
        return len(parts)
    finally:
        running -= 1


@query(public=True)
async def quick(ctx: QueryContext, number: int = 0) -> int:
    return await ctx.db.query(Part).count()


@mutation(public=True)
async def add(ctx: MutationContext, kind: str) -> Id[Part]:
    return await ctx.db.insert(Part(kind=kind))


@mutation(public=True)
async def add_many(ctx: MutationContext, kind: str, count: int) -> None:
    for _ in range(count):
        await ctx.db.insert(Part(kind=kind))


REGISTRY = collect("parts", [__import__(__name__, fromlist=["slow"])])
SLOW, QUICK, ADD, ADD_MANY = (
    next(path for path in REGISTRY.functions if path.endswith(f":{name}"))
    for name in ("slow", "quick", "add", "add_many")
)


@pytest.fixture(autouse=True)
def fresh() -> None:
    global stuck, runs
    stuck, runs = True, 0


async def add_part(engine: Engine, kind: str) -> None:
    outcome = await engine.mutate(ADD, {"kind": kind}, None)
    await engine.wait_for(outcome.ts or 0)


async def test_a_run_that_takes_too_long_is_an_error_that_names_what_it_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_engine(REGISTRY, query_timeout=0.05) as engine:
        await add_part(engine, "a")
        await add_part(engine, "a")
        holder = RecordingSubscriber(engine)
        holder.subscribe("slow", SLOW, {"kind": "a"})
        holder.subscribe("quick", QUICK, {})
        with caplog.at_level(logging.WARNING, "synovia"):
            await holder.settled()
        error = holder.version("slow").error
        assert error is not None
        assert error.code == ErrorCode.TIMEOUT
        assert error.data == {"seconds": 0.05, "read": [{"table": "parts", "index": "by_kind", "documents": 2}]}
        assert "2 documents of parts by the index by_kind" in error.message
        assert error.message in caplog.text
        assert holder.value("quick") == 2


async def test_it_is_run_again_when_what_it_read_changes_but_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    global stuck
    async with running_engine(REGISTRY, query_timeout=0.05) as engine:
        holder, began = RecordingSubscriber(engine), asyncio.get_running_loop().time()
        live = holder.subscribe("slow", SLOW, {"kind": "a"})
        await holder.settled()
        for _ in range(20):
            await add_part(engine, "a")
        seconds = asyncio.get_running_loop().time() - began
        assert 0.05 * (2 ** (runs - 1) - 1) <= seconds, (
            "each rest is twice the one before, however many commits there are"
        )
        stuck = False
        await holder.until(lambda: holder.version("slow").error is None)
        assert holder.value("slow") == 20
        assert live.failures == 0
    assert live_queries.MOST_REST_SECONDS > live_queries.RETRY_SECONDS


async def test_queries_that_never_end_leave_places_for_other_addresses() -> None:
    async with running_engine(
        REGISTRY, max_running_queries=8, max_running_queries_per_address=6, query_timeout=60.0
    ) as engine:
        loud, quiet = RecordingSubscriber(engine), RecordingSubscriber(engine)
        for number in range(100):
            account = Account("loud", number % 3)
            engine.subscribe(loud, SLOW, {"kind": "a", "number": number}, None, account=account)
        for number in range(5):
            live = engine.subscribe(quiet, QUICK, {"number": number}, None, account=Account("quiet", 1))
            quiet.held[str(number)] = live
        await quiet.settled()
        assert runs == 6


@pytest.mark.parametrize("silent_for", ["ever", "some time of the run"])
async def test_a_database_that_does_not_answer_is_not_the_querys_fault(
    silent_for: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    global stuck
    async with running_engine(REGISTRY, query_timeout=0.05) as engine:

        async def silent() -> None:
            if silent_for == "ever" or running:
                raise TimeoutError

        monkeypatch.setattr(engine.store, "ping", silent)
        holder = RecordingSubscriber(engine)
        live = holder.subscribe("slow", SLOW, {"kind": "a"})
        async with asyncio.timeout(PATIENCE):
            while live.failures < 1:  # noqa: ASYNC110 (nothing tells when it has been run)
                await asyncio.sleep(0.005)
        assert not live.loaded
        stuck = False
        await holder.settled()
        assert holder.value("slow") == 0


class Writers:
    """A store that others write to, as far as the log looks at it."""

    def __init__(self, commits: int) -> None:
        self._commits = commits

    async def newest(self) -> tuple[int, int]:
        return 0, 0

    async def clock(self) -> int:
        return 0

    async def changes(self, after: int) -> AsyncGenerator[Commit | Gap, None]:
        for ts in range(after + 1, self._commits + 1):
            yield Commit(ts, (Write("parts", ts, None, {"_id": ts}),))


@pytest.mark.parametrize(("seconds", "kept"), [(30.0, 79), (0.0, 10)])
async def test_a_run_keeps_the_window_open_neither_for_ever_nor_without_a_bound(
    monkeypatch: pytest.MonkeyPatch, seconds: float, kept: int
) -> None:
    monkeypatch.setattr(log, "PIN_SECONDS", seconds)
    followed = Log(Writers(79), lambda change: None, IdClock(lambda: 0), keep=10)  # type: ignore[arg-type]
    await followed.start()
    with followed.pinned(0):
        await followed.follow()
        assert followed.since(79 - kept) is not None
        assert (followed.since(0) is None) == (kept == 10)
    beyond = Log(Writers(1000), lambda change: None, IdClock(lambda: 0), keep=10)  # type: ignore[arg-type]
    await beyond.start()
    with beyond.pinned(0):
        await beyond.follow()
        assert beyond.since(0) is None, "who has read at 0 begins again"
        assert len(beyond.since(1000 - 10) or ()) == 10


async def test_a_query_that_reads_much_on_sqlite_holds_up_neither_mutations_nor_other_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    global stuck
    stuck, held, steps, step = False, True, 0, walk.Scan.step

    def held_step(self: walk.Scan, reader: Reader) -> bool:
        nonlocal steps
        steps += held
        return step(self, reader) if not held else False

    monkeypatch.setattr(walk.Scan, "step", held_step)
    async with running_engine(REGISTRY) as engine:
        assert (await engine.mutate(ADD_MANY, {"kind": "a", "count": 100}, None)).error is None
        holder = RecordingSubscriber(engine)
        long = holder.subscribe("slow", SLOW, {"kind": "a"})
        while not steps:  # noqa: ASYNC110 (nothing tells when it has begun to read)
            await asyncio.sleep(0)
        await add_part(engine, "b")
        assert (await engine.query(QUICK, {}, None)).value() == 101
        assert not long.loaded
        held = False
        await holder.settled()
        assert holder.value("slow") == 100
