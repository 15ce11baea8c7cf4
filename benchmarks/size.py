"""What a change costs a live query that reads much: CPU of the hub for each document that it reads, against how many.

The peer is the smallest room. A cost that grew faster than what is read would show, as would a size at which it jumps. A sum
is not read again, so what a change costs it must not depend on how much was added up.
"""

from __future__ import annotations

import asyncio

from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Aim, Result, Row, Setting, compared
from benchmarks.work import fill
from synovia_client import Client

SIZES = (10_000, 20_000, 40_000, 60_000)
SUMMED = (1_000, 100_000)
CHANGES = 20
_AIM = Aim(2.0)
_FLAT = Aim(1.2)


async def run(setting: Setting) -> Result:
    """Measure each size, in alternating rounds."""
    rounds = range(setting.rounds(3))
    read = [{size: await _seconds(size, "total_level", setting) / size for size in SIZES} for _ in rounds]
    summed = [{size: await _seconds(size, "summed_level", setting) for size in SUMMED} for _ in rounds]
    first, *others = SIZES
    few, many = SUMMED
    rows = [_row(f"CPU of a change, for each of {size:,} documents read", size, first, read, _AIM) for size in others]
    rows.append(_row(f"CPU of a change to one of {many:,} documents that are summed", many, few, summed, _FLAT))
    return Result("size", tuple(rows))


def _row(what: str, size: int, first: int, rounds: list[dict[int, float]], aim: Aim) -> Row:
    figures, peers = [each[size] * 1e6 for each in rounds], [each[first] * 1e6 for each in rounds]
    return compared(what, "us", figures, f"of {first:,}", peers, aim)


async def _seconds(size: int, function: str, setting: Setting) -> float:
    """Give the CPU time of the hub for a change that a live query over so many documents is told."""
    async with hub(EMBEDDED, setting, f"{function} {size}") as running:
        sensor = await fill(running.url, "large", size)
        async with Client(running.url, proxy=None) as client:
            totals = aiter(client.subscribe(f"sensors:{function}", {"room": "large"}))
            async with asyncio.timeout(120):
                await anext(totals)
                for level in range(-3, 0):
                    await _change(client, sensor, level)
                    await anext(totals)
                before = await running.cpu()
                for level in range(1, CHANGES + 1):
                    await _change(client, sensor, level)
                    await anext(totals)
                return (await running.cpu() - before) / CHANGES


async def _change(client: Client, sensor: str, level: int) -> None:
    await client.mutation("sensors:set_level", {"sensorId": sensor, "level": level})
