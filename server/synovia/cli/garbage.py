"""Garbage collection of a process that serves: what is there from the start is not looked at again and again."""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Final

from synovia.tasks import end

logger = logging.getLogger("synovia")

THRESHOLDS: Final = 5_000, 1, 1_000_000
"""Objects in containers before the young are looked at, how often that before the older ones are, and before all are: never,
by itself."""
ENOUGH: Final = 100
"""Looks at the older ones after which a full collection is worth while."""
FEW: Final = 10
"""Looks after which what is recent is gone through, though others wait: in some hundredths of a second."""
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


class Extent(Enum):
    """What a collection looks at."""

    RECENT = "what has come since the last one"
    ALL = "everything"


@asynccontextmanager
async def tuned() -> AsyncIterator[None]:
    """Collect garbage as suits a server that has just started, until the block ends.

    A full collection stops everything: 100 ms with 500 clients, 400 ms with a live query over 10,000 documents; and with
    Python's own thresholds it comes often, most of all amid large reads. Nearly everything that pushes and requests need is
    freed without it. So what is there when the server starts, and stays, is taken out of it, and it waits for a second in
    which there is little to do. Until then, and where there is so much that somebody would notice even then (a second for
    two million objects), what is recent is gone through alone, often and a little at a time, and what of it is still
    needed is taken out, too. A connection that has ended may wait a little longer. What is young is looked at twice at most
    before it counts as old: a long read makes so many objects that looking at them ten times takes 30 ms.
    """
    gc.collect()
    began = time.thread_time()
    gc.collect()
    seconds = time.thread_time() - began
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    collecting = asyncio.create_task(_collect_in_quiet_seconds(seconds / _blocks()), name="garbage")
    try:
        yield
    finally:
        await end([collecting])
        gc.set_threshold(*before)


class Moment:
    """Tells when a collection is due: it is worth while, and nobody is kept waiting for it, or it cannot wait.

    Args:
        now: Seconds of a steady clock.
        resident: The bytes that the process has in memory.
    """

    def __init__(self, now: float, resident: int) -> None:
        self._all_at = now, resident
        self._earlier_looks = 0

    def due(self, now: float, looks: int, resident: int, *, quiet: bool, seconds: Callable[[], float]) -> Extent | None:
        """Tell what to look at now, if anything.

        Args:
            looks: How often the older ones were looked at since the last one.
            quiet: Whether there is little to do.
            seconds: Tells how long a full collection is going to take.
        """
        at, before = self._all_at
        overdue = now - at > OVERDUE_SECONDS and resident - before > GROWTH_BYTES
        if self._earlier_looks + looks >= ENOUGH and (overdue or (quiet and seconds() <= MOST_SECONDS)):
            return Extent.ALL
        return Extent.RECENT if looks >= FEW else None

    def collected(self, extent: Extent, now: float, looks: int, resident: int) -> None:
        """Take notice of a collection before which the older ones had been looked at so often."""
        self._earlier_looks += looks
        if extent is Extent.ALL:
            self._all_at, self._earlier_looks = (now, resident), 0


def collect(extent: Extent) -> int:
    """Collect garbage, and keep what is left from being looked at until all is; give how many objects were freed."""
    if extent is Extent.ALL:
        gc.unfreeze()
    found = gc.collect()
    gc.freeze()
    return found


def is_quiet(seconds: float, cpu: float) -> bool:
    """Tell of a process that meant to sleep for ``LOOK_SECONDS`` whether it has little to do."""
    return cpu / seconds < QUIET and seconds < LOOK_SECONDS * LATE


async def _collect_in_quiet_seconds(seconds_each: float) -> None:
    """Collect from time to time; ``seconds_each`` is how long it takes for each block of memory."""
    moment, looked, used = Moment(time.monotonic(), _resident()), time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, cpu, looks = time.monotonic(), time.process_time(), gc.get_count()[2]
        quiet = is_quiet(now - looked, cpu - used)
        extent = moment.due(now, looks, _resident(), quiet=quiet, seconds=lambda: seconds_each * _blocks())
        if extent is not None:
            found = collect(extent)
            moment.collected(extent, time.monotonic(), looks, _resident())
            told = extent.name.lower(), found, (time.monotonic() - now) * 1000
            logger.debug("garbage, %s looked at: %d objects in %.0f ms", *told)
        looked, used = time.monotonic(), time.process_time()


def _blocks() -> int:
    """Tell how many blocks of memory are in use, in a millisecond: to count a million objects takes a tenth of a second."""
    return max(1, sys.getallocatedblocks())


def _resident() -> int:
    """Tell the bytes that this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0
