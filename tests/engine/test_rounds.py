"""No more than a limit begin in a round of the event loop, in the order in which they came."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from synovia.engine.rounds import RoundLimit


class Beginners:
    """Tasks that begin, and note it."""

    def __init__(self, most: int) -> None:
        self._limit = RoundLimit(most)
        self.begun: list[int] = []

    def come(self, count: int) -> list[asyncio.Task[None]]:
        first = len(self.begun)
        return [asyncio.create_task(self._begin(number)) for number in range(first, first + count)]

    async def _begin(self, number: int) -> None:
        if not self._limit.try_begin():
            await self._limit.wait()
        self.begun.append(number)


async def rounds(beginners: Beginners) -> list[int]:
    """Tell how many had begun after each round, until all have."""
    counts = [len(beginners.begun)]
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
        counts.append(len(beginners.begun))
    return counts


async def test_no_more_than_the_limit_begin_in_a_round_and_all_in_order() -> None:
    beginners = Beginners(3)
    beginners.come(10)
    counts = await rounds(beginners)
    begun_in_a_round = [after - before for before, after in pairwise(counts)]
    assert max(begun_in_a_round) == 3
    assert beginners.begun == list(range(10))


async def test_as_many_as_the_limit_begin_in_the_round_in_which_they_come() -> None:
    beginners = Beginners(3)
    beginners.come(3)
    await asyncio.sleep(0)
    assert beginners.begun == [0, 1, 2]


async def test_nobody_who_comes_later_goes_before_who_waits() -> None:
    beginners = Beginners(1)
    early = beginners.come(2)
    await asyncio.sleep(0)
    assert beginners.begun == [0]
    late = asyncio.create_task(beginners._begin(7))
    await asyncio.gather(*early, late)
    assert beginners.begun == [0, 1, 7]


async def test_who_is_cancelled_takes_nobodys_place() -> None:
    beginners = Beginners(1)
    first, second, third = beginners.come(3)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, third)
    with suppress(asyncio.CancelledError):
        await second
    assert beginners.begun == [0, 2]


async def test_the_loop_is_left_alone_when_nobody_has_begun_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    beginners = Beginners(2)
    ended, end = 0, RoundLimit._end_round

    def counted(self: RoundLimit) -> None:
        nonlocal ended
        ended += 1
        end(self)

    monkeypatch.setattr(RoundLimit, "_end_round", counted)
    await asyncio.gather(*beginners.come(5))
    for _ in range(20):
        await asyncio.sleep(0)
    assert ended == 3
