"""Commits after commits: what one costs when many lie in the log, and what a follower pays that is behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.growth.meter import Meter
from benchmarks.growth.places import LARGEST_REPLAY, Place, opened, sensor_id
from benchmarks.hub import hub
from benchmarks.results import Setting
from synovia.store import Commit, Store, Ts
from synovia_client import Client

COUNT = 60
_DOCUMENTS = 100


async def measure(place: Place, setting: Setting, sizes: Sequence[int], count: int = COUNT) -> tuple[Group, Group]:
    """Let the log grow; give the cost of a commit, and of following the log."""
    await place.fill(0, _DOCUMENTS)
    commits, opening, replays = list[Point](), list[Point](), list[Point]()
    recorded = 0
    for size in sizes:
        async with opened(place.url) as store:
            before, _ = await store.newest()
        new = size - recorded
        await place.record(new)
        recorded = size
        opening.append(Point(size, await _opening(place, setting)))
        if new <= LARGEST_REPLAY:
            replays.append(Point(new, await _replay(place, before, new)))
        commits.append(Point(size, await _commit(place, setting, count)))
    log = (
        Series("open the database", place.store, Law.FLAT, "µs", tuple(opening)),
        Series("follow the log from so many commits back", place.store, Law.LINEAR, "µs", tuple(replays)),
    )
    commit = Series("a mutation that changes one document", place.store, Law.FLAT, "µs", tuple(commits))
    return Group("commits", "commits that the log keeps", (commit,)), Group("log", "commits", log)


async def _commit(place: Place, setting: Setting, count: int) -> float:
    async with (
        hub(place.url, setting, f"growth commits {place.store}") as running,
        Client(running.url, proxy=None) as client,
    ):

        async def change(number: int) -> None:
            args = {"sensorId": str(sensor_id(number % _DOCUMENTS)), "level": number}
            await client.mutation("sensors:set_level", args)

        return await Meter(running, place).least(setting, change, count, itertools.count(1))


async def _opening(place: Place, setting: Setting) -> float:
    times = []
    for _ in range(setting.rounds(5)):
        before = _used(place)
        async with opened(place.url):
            times.append(_used(place) - before)
    return min(times) * 1e6


async def _replay(place: Place, after: Ts, commits: int) -> float:
    async with opened(place.url) as store:
        before = _used(place)
        async with aclosing(_commits(store, after)) as changes:
            for _ in range(commits):
                await anext(changes)
        return (_used(place) - before) * 1e6


async def _commits(store: Store, after: Ts) -> AsyncGenerator[Commit, None]:
    async for change in store.changes(after):
        if isinstance(change, Commit) and change.writes:
            yield change


def _used(place: Place) -> float:
    return time.process_time() + place.cpu()
