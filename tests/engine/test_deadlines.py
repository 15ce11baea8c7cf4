"""Whose fault it is if a function takes too long: its own, or that of a database that did not answer meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest

from synovia.engine import deadlines
from synovia.engine.deadlines import within
from synovia.store.base import Store, StoreUnavailable

SECONDS = 0.4


class Answering:
    """A database that does not answer some of the pings, by their numbers."""

    def __init__(self, *silent: int) -> None:
        self.silent = silent
        self.pings = 0

    async def ping(self) -> None:
        self.pings += 1
        if self.pings - 1 in self.silent:
            await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def short_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "_PING_SECONDS", 0.02)
    monkeypatch.setattr(deadlines, "_HELD_UP", 1e9)


async def run(store: Answering, work: Any = None) -> None:
    async def waiting() -> None:
        await asyncio.sleep(0)
        if work is not None:
            await work()
        await asyncio.Event().wait()

    await within(SECONDS, cast(Store, store), waiting())


async def test_a_function_that_takes_too_long_beside_a_database_that_answers_is_to_blame() -> None:
    store = Answering()
    with pytest.raises(TimeoutError):
        await run(store)
    assert store.pings >= 2


@pytest.mark.parametrize("silent", [0, 1])
async def test_a_database_that_was_silent_for_a_part_of_the_time_is_to_blame(silent: int) -> None:
    """Though it answered before that, and does at the end."""
    with pytest.raises(StoreUnavailable):
        await run(Answering(silent))


async def test_a_function_that_ends_in_time_does_though_the_database_was_silent() -> None:
    store = Answering(0)

    async def ending() -> str:
        while store.pings < 1:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.01)
        return "done"

    assert await within(SECONDS, cast(Store, store), ending()) == "done"


async def test_a_function_that_holds_up_the_loop_does_not_make_the_database_look_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "_HELD_UP", 1.25)
    store = Answering(0)

    async def computing() -> None:
        while store.pings < 1:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.001)
        time.sleep(0.1)  # noqa: ASYNC251 (it is what computes without an await)

    with pytest.raises(TimeoutError):
        await run(store, computing)
