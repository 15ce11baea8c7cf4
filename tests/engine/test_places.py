"""Places to run in: an address has its share, and those who wait take turns by address, then by connection."""

from __future__ import annotations

import asyncio

from helpers.patience import PATIENCE
from synovia.engine.places import Places
from synovia.identity import SERVER, Account


class Crowd:
    """Runs that wait for places; each ends when it is told to."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self.places = Places(most, most_per_address)
        self.began: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Let runs come, named by address, connection and number: ``a1x``."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name))
        await self.settle()

    async def _run(self, name: str) -> None:
        async with self.places.taken(Account(name[0], name[:2])):
            self.began.append(name)
            await self.ends[name].wait()

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await self.settle()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_one_address_leaves_places_for_others() -> None:
    crowd = Crowd(4, 2)
    await crowd.come("a1a", "a1b", "a1c", "a2d")
    assert crowd.began == ["a1a", "a1b"]
    await crowd.come("b1a")
    assert crowd.began == ["a1a", "a1b", "b1a"]


async def test_those_who_wait_take_turns_by_address_then_by_connection() -> None:
    crowd = Crowd(1, 1)
    await crowd.come("a1a", "a1b", "a1c", "a2a", "b1a", "b1b")
    for _ in range(5):
        await crowd.end(crowd.began[-1])
    assert crowd.began == ["a1a", "a1b", "b1a", "a2a", "b1b", "a1c"]


async def test_who_gives_up_leaves_no_hole() -> None:
    crowd = Crowd(1, 1)
    await crowd.come("a1a", "a1b", "b1a")
    await crowd.give_up("a1b")
    await crowd.give_up("a1a")
    assert crowd.began == ["a1a", "b1a"]
    await crowd.end("b1a")
    await crowd.come("c1a")
    assert crowd.began[-1] == "c1a"


async def test_giving_up_in_the_moment_of_being_served_gives_the_place_back() -> None:
    crowd = Crowd(1, 1)
    await crowd.come("a1a", "b1a", "c1a")
    crowd.ends["a1a"].set()
    while not crowd.tasks["a1a"].done():  # noqa: ASYNC110 (to the very turn of the loop)
        await asyncio.sleep(0)
    await crowd.give_up("b1a")
    assert crowd.began[-1] == "c1a"


async def test_the_server_itself_never_waits() -> None:
    crowd = Crowd(1, 1)
    await crowd.come("a1a")
    async with asyncio.timeout(PATIENCE), crowd.places.taken(SERVER):
        pass
