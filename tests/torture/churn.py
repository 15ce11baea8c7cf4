"""``python -m torture.churn --minutes 10``: clients come and go all the while; tells how memory grows.

Exit code 1 if something is left behind of those that have gone, or memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from helpers.churn import come_and_go, left
from helpers.small_caches import keep_little
from helpers.sync_server import Running, serving
from helpers.waiting import until

AT_ONCE = 20
MOST_GROWTH = 2_000
"""Bytes a client, once what is kept on purpose is full."""


def resident() -> int:
    """Tell the bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def churn(minutes: float) -> bool:
    """Let clients come and go for so long; tell whether that left nothing behind."""
    most = 1_000_000
    measured: list[tuple[int, int]] = []
    limits: dict[str, Any] = {
        "max_messages_per_second_per_address": most,
        "max_authentications_per_minute_per_address": most,
    }
    keep_little()
    async with in_a_file() as store, serving(development=True, store=store, **limits) as running:
        await _round(running, 0)
        await until(lambda: (left(running)["connections"], left(running)["http"]) == (0, 0))
        before = left(running)
        end, done = time.monotonic() + minutes * 60, 0
        while time.monotonic() < end:
            done += await _round(running, done)
            await until(lambda: left(running)["connections"] == 0)
            gc.collect()
            measured.append((done, resident()))
        await until(lambda: left(running) == before)
    half = measured[len(measured) // 2 :]
    slope = slope_of(half) if len(half) > 2 else 0.0
    print(
        f"churn: {done} clients came and went; {left_of(before)}; memory {half[-1][1] / 1e6:.0f} MB, {slope:+.0f} B a client"
    )
    return slope < MOST_GROWTH


@asynccontextmanager
async def in_a_file() -> AsyncIterator[str]:
    """Give the address of a database that does not lie in memory: what grows there is not the server's."""
    with tempfile.TemporaryDirectory(prefix="synovia-churn-") as directory:
        yield f"sqlite:///{Path(directory) / 'churn.sqlite'}"


def slope_of(measured: list[tuple[int, int]]) -> float:
    """Tell by how many bytes memory grows with each client."""
    clients, memory = np.array(measured, dtype=float).T
    return float(np.polyfit(clients, memory, 1)[0])


def left_of(counts: dict[str, int]) -> str:
    """Say what there is at the end, as at the beginning."""
    return ", ".join(f"{counts[each]} {each}" for each in ("tasks", "timers", "files", "connections"))


async def _round(running: Running, first: int) -> int:
    await asyncio.gather(*(come_and_go(running, first + number) for number in range(AT_ONCE)))
    return AT_ONCE


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m torture.churn", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    logging.disable(logging.WARNING)
    sys.exit(0 if asyncio.run(churn(parser.parse_args().minutes)) else 1)


if __name__ == "__main__":
    main()
