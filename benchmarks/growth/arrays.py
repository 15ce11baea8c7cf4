"""Arrays that grow: stored, fetched whole, in part, and thinned for a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count as numbers_from

import numpy as np

from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.growth.meter import Meter, Operation
from benchmarks.growth.places import Place
from benchmarks.hub import hub
from benchmarks.results import Setting
from synovia_client import Client
from synovia_protocol.messages import ArrayRef

PART = 1_000
_ELEMENTS_A_ROUND = 2_000_000
_MOST = 20
_LAWS = {
    "store": Law.LINEAR,
    "fetch whole": Law.LINEAR,
    f"fetch {PART:,} of them": Law.FLAT,
    f"thin to {PART:,} points": Law.LINEAR,
}


async def measure(place: Place, setting: Setting, sizes: Sequence[int]) -> Group:
    """Store and fetch arrays of each size."""
    costs: dict[str, list[Point]] = {name: [] for name in _LAWS}
    async with (
        hub(place.url, setting, f"growth arrays {place.store}") as running,
        Client(running.url, proxy=None) as client,
    ):
        for size in sizes:
            for name, cost in zip(_LAWS, await _costs(client, Meter(running, place), setting, size), strict=True):
                costs[name].append(Point(size, cost))
    series = (Series(name, place.store, law, "µs", tuple(costs[name])) for name, law in _LAWS.items())
    return Group("arrays", "float64 in the array", tuple(series))


async def _costs(client: Client, meter: Meter, setting: Setting, size: int) -> list[float]:
    room, count = f"of {size}", max(1, min(_MOST, _ELEMENTS_A_ROUND // size))
    chance = np.random.default_rng(size)

    async def store(number: int) -> None:
        await client.mutation("sensors:add", {"room": room, "rank": number, "trace": chance.normal(size=size)})

    async def least(operation: Operation) -> float:
        return await meter.least(setting, operation, count, numbers_from())

    stored = await least(store)
    async with client.subscribe("sensors:highest", {"room": room, "count": 1}) as subscription:
        ref: ArrayRef = (await anext(aiter(subscription)))[0]["trace"]
        starts = _starts(size)
        return [
            stored,
            await least(lambda _: client.array(ref)),
            await least(lambda _: client.array(ref, start := next(starts), start + PART)),
            await least(lambda _: client.array(ref, points=PART)),
        ]


def _starts(size: int) -> Iterator[int]:
    chance = np.random.default_rng(1)
    while True:
        yield int(chance.integers(0, size - PART + 1))
