"""Garbage collection of a process that serves: what is there from the start is not looked at again and again."""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from synovia.tasks import end

logger = logging.getLogger("synovia")

THRESHOLDS: Final = 4_000, 1_000_000, 1_000_000
"""Containers before those that are new are looked at, in three milliseconds; how often that before older ones are: never, by
itself."""
ENOUGH: Final = 150
"""Looks after which a full collection is worth while."""
LOOK_SECONDS: Final = 1.0
MOST_SECONDS: Final = 0.2
"""So long a full collection may take in a quiet second; somebody may come."""
GROWTH_BYTES: Final = 256 * 1024 * 1024
OVERDUE_SECONDS: Final = 600.0
"""If there was no such second for so long, and the process has grown by ``GROWTH_BYTES``, all are looked at nevertheless."""
QUIET: Final = 0.25
"""The share of a core that a process uses that has little to do."""
LATE: Final = 1.05
"""A sleep that takes so many times as long is one of a process that waits for its turn on a core, however little it uses."""
_ALL: Final = 2
"""The generation of a full collection."""


@asynccontextmanager
async def tuned() -> AsyncIterator[None]:
    """Collect garbage as suits a server that has just started, until the block ends.

    A full collection stops everything: 100 ms with 500 clients, 400 ms with a live query over 10,000 documents; and with
    Python's own thresholds it comes often, most of all amid large reads. Nearly everything that pushes and requests need is
    freed without it. So what is there when the server starts, and stays, is taken out of it, and it waits for a second in
    which there is little to do. Until then, and where there is so much that somebody would notice even then (a second for
    two million objects), what is new is looked at alone, a little at a time and once, and what of it is still needed is
    taken out, too. A connection that has ended may wait a little longer.
    """
    gc.collect()
    began = time.thread_time()
    gc.collect()
    seconds = time.thread_time() - began
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    looks = Looks()
    gc.callbacks.append(looks)
    collecting = asyncio.create_task(_collect_in_quiet_seconds(looks, seconds / _blocks()), name="garbage")
    try:
        yield
    finally:
        await end([collecting])
        gc.callbacks.remove(looks)
        gc.set_threshold(*before)


class Looks:
    """Takes out what was looked at and is still needed; a callback of ``gc``.

    Attributes:
        count: How often what was new was looked at since everything was.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Take notice of a collection, in whichever thread it was; Python 3.14.0 to 3.14.4 call those of what is new 1."""
        if phase == "stop" and info["generation"] < _ALL:
            self.count += 1
            gc.freeze()


class Moment:
    """Tells when all are to be looked at: it is worth while, and nobody is kept waiting for it, or it cannot wait.

    Args:
        now: Seconds of a steady clock.
        resident: The bytes that the process has in memory.
    """

    def __init__(self, now: float, resident: int) -> None:
        self._at, self._resident = now, resident

    def is_due(self, now: float, looks: int, resident: int, *, quiet: bool, seconds: Callable[[], float]) -> bool:
        """Tell whether it is time.

        Args:
            looks: How often what was new was looked at since the last time.
            quiet: Whether there is little to do.
            seconds: Tells how long a full collection is going to take.
        """
        overdue = now - self._at > OVERDUE_SECONDS and resident - self._resident > GROWTH_BYTES
        return looks >= ENOUGH and (overdue or (quiet and seconds() <= MOST_SECONDS))


def collect() -> int:
    """Collect garbage among what is not kept from being looked at, and keep what is left from it; tell how much it was."""
    found = gc.collect()
    gc.freeze()
    return found


def is_quiet(seconds: float, cpu: float) -> bool:
    """Tell of a process that meant to sleep for ``LOOK_SECONDS`` whether it has little to do."""
    return cpu / seconds < QUIET and seconds < LOOK_SECONDS * LATE


async def _collect_in_quiet_seconds(looks: Looks, seconds_each: float) -> None:
    """Look at all from time to time; ``seconds_each`` is how long that takes for each block of memory."""
    moment, looked, used = Moment(time.monotonic(), resident()), time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, cpu = time.monotonic(), time.process_time()
        quiet = is_quiet(now - looked, cpu - used)
        if moment.is_due(now, looks.count, resident(), quiet=quiet, seconds=lambda: seconds_each * _blocks()):
            gc.unfreeze()
            found, moment, looks.count = collect(), Moment(now, resident()), 0
            logger.debug("garbage: %d objects in %.0f ms", found, (time.monotonic() - now) * 1000)
        looked, used = time.monotonic(), time.process_time()


def _blocks() -> int:
    """Tell how many blocks of memory are in use, in a millisecond: to count a million objects takes a tenth of a second."""
    return max(1, sys.getallocatedblocks())


def resident() -> int:
    """Tell the bytes that this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0
