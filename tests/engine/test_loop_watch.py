"""Who holds up the event loop is named in the log, while it does and afterwards, and counted in the health."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from helpers.patience import PATIENCE
from synovia import QueryContext, query
from synovia.engine.engine import Engine
from synovia.engine.executor import Executor
from synovia.engine.loop_watch import LoopWatch, _holder_of
from synovia.functions.registry import collect
from synovia.store.sqlite import SQLiteStore

SECONDS = 0.02
watch: LoopWatch


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    global watch
    watch = LoopWatch(Executor.calling_code(), SECONDS)
    yield
    watch.stop()


def compute_until_noticed() -> None:
    if watch._beat is not None:
        watch._beat.cancel()
    watch._come_round()  # what has held it up before, as a garbage collector may, is over
    watch.count, watch.longest = 0, 0.0
    deadline = time.monotonic() + PATIENCE
    while watch._holder is None and time.monotonic() < deadline:
        pass


@query(public=True)
async def computing(ctx: QueryContext) -> int:
    compute_until_noticed()
    return 1


REGISTRY = collect("computing", [__import__(__name__, fromlist=["computing"])])
PATH = next(iter(REGISTRY.functions))


async def counted() -> None:
    async with asyncio.timeout(PATIENCE):
        while not watch.count:  # noqa: ASYNC110 (the loop has to come round)
            await asyncio.sleep(0.001)


async def test_a_function_that_computes_without_an_await_is_named(caplog: pytest.LogCaptureFixture) -> None:
    store = SQLiteStore()
    await store.open(REGISTRY.tables)
    engine = Engine(store, REGISTRY)
    await engine.start()
    watch.start()
    try:
        with caplog.at_level(logging.WARNING, "synovia"):
            assert (await engine.query(PATH, {}, None)).value() == 1
            await counted()
    finally:
        await engine.stop()
        await store.close()
    texts = [record.getMessage() for record in caplog.records if PATH in record.getMessage()]
    assert any("computes without an await" in text for text in texts)
    assert any("was held up for" in text for text in texts)
    assert __file__ in texts[0]
    figures = (await watch()).figures
    assert figures["loopHeld"] == 1
    assert figures["loopHeldLongest"] >= 0
    assert figures["loopHeldBy"].startswith(f"{PATH} (")


async def test_what_is_no_function_is_named_by_its_line() -> None:
    watch.start()
    compute_until_noticed()
    await counted()
    assert watch.by is not None
    assert watch.by.path is None
    assert watch.by.line.startswith(__file__)


def test_a_loop_that_only_waits_is_not_held_up() -> None:
    """When others have the processor, the loop comes round late, though it does nothing."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not _is_idle(thread) and time.monotonic() < deadline:
            time.sleep(0)
        assert _is_idle(thread)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _is_idle(thread: threading.Thread) -> bool:
    frame = sys._current_frames()[thread.ident or 0]
    return frame.f_code.co_name == "select" and _holder_of(frame, Executor.calling_code()) is None
