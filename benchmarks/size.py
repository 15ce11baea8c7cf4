"""What a change costs a live query that reads much: CPU of the hub for each document that it reads, against how many.

The peer is the smallest room. A cost that grew faster than what is read would show, as would a size at which it jumps.
"""

from __future__ import annotations

import asyncio

from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Aim, Result, Row, Setting, compared
from benchmarks.work import fill
from synovia_client import Client

SIZES = (10_000, 20_000, 40_000, 60_000)
CHANGES = 20
_AIM = Aim(2.0)


async def run(setting: Setting) -> Result:
    """Measure each size, in alternating rounds."""
    rounds = [{size: await _nanoseconds(size, setting) for size in SIZES} for _ in range(setting.rounds(3))]
    first, *others = SIZES
    rows = (_row(size, first, rounds) for size in others)
    return Result("size", tuple(rows))


def _row(size: int, first: int, rounds: list[dict[int, float]]) -> Row:
    figures, peers = [each[size] for each in rounds], [each[first] for each in rounds]
    return compared(f"CPU of a change, for each of {size:,} documents", "ns", figures, f"of {first:,}", peers, _AIM)


async def _nanoseconds(size: int, setting: Setting) -> float:
    """Give the CPU time of a change for each document that the live query reads."""
    async with hub(EMBEDDED, setting, f"size {size}") as running:
        sensor = await fill(running.url, "large", size)
        async with Client(running.url, proxy=None) as client:
            totals = aiter(client.subscribe("sensors:total_level", {"room": "large"}))
            async with asyncio.timeout(120):
                await anext(totals)
                for level in range(-3, 0):
                    await _change(client, sensor, level)
                    await anext(totals)
                before = await running.cpu()
                for level in range(1, CHANGES + 1):
                    await _change(client, sensor, level)
                    await anext(totals)
                return (await running.cpu() - before) * 1e9 / CHANGES / size


async def _change(client: Client, sensor: str, level: int) -> None:
    await client.mutation("sensors:set_level", {"sensorId": sensor, "level": level})
