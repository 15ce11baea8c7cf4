"""So many go on at once, in the order in which they came, whoever gives up."""

from __future__ import annotations

import asyncio
import random

import pytest

from synovia.limits.slots import Slots


async def test_those_who_find_none_free_have_theirs_in_the_order_in_which_they_came() -> None:
    slots, order = Slots(2), list[int]()

    async def run(number: int) -> None:
        async with slots:
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*map(run, range(10)))
    assert order == [*range(10)]
    async with slots as has_waited:
        assert not has_waited
        assert not slots.are_taken
        async with slots as has_waited:
            assert not has_waited
            assert slots.are_taken


async def test_nobody_who_comes_later_is_let_in_before_who_waits() -> None:
    slots = Slots(1)

    async def run() -> bool:
        async with slots as has_waited:
            return has_waited

    async with slots:
        first = asyncio.create_task(run())
        await asyncio.sleep(0)
    assert slots.are_taken
    assert await run(), "it is the first one's, which has not gone on yet"
    assert await first
    assert not await run()


@pytest.mark.parametrize("seed", range(20))
async def test_who_gives_up_takes_none_away(seed: int) -> None:
    chance, slots, inside, most = random.Random(seed), Slots(3), 0, 0

    async def run() -> None:
        nonlocal inside, most
        async with slots:
            inside += 1
            most = max(most, inside)
            try:
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)
            finally:
                inside -= 1

    tasks = [asyncio.create_task(run()) for _ in range(40)]
    while not all(task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0)
    assert most == 3
    assert inside == 0
    assert [await enter(slots) for _ in range(3)] == [False] * 3
    assert slots.are_taken


async def enter(slots: Slots) -> bool:
    return await slots.__aenter__()
