"""Garbage collection of a process that serves: what is there from the start is not looked at again and again."""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import time
from collections.abc import AsyncIterator
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
LOOK_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 60.0
"""So long a collection waits for a quiet second at most,"""
GROWTH_BYTES: Final = 256 * 1024 * 1024
"""or until the process has grown by so much."""
OVERDUE_SECONDS: Final = 600.0
"""If no second was quiet for so long, and the process has grown by ``GROWTH_BYTES``, all are looked at nevertheless."""
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
    which there is little to do. A server that has none goes through what is recent alone, and takes what of it is still
    needed out, too. A connection that has ended may wait a little longer. What is young is looked at twice at most before it
    counts as old: a long read makes so many objects that looking at them ten times takes 30 ms.
    """
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    collecting = asyncio.create_task(_collect_in_quiet_seconds(), name="garbage")
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
        self._waits_since = now
        self._resident = resident
        self._all_at = now, resident

    def due(self, now: float, looks: int, resident: int, *, quiet: bool) -> Extent | None:
        """Tell what to look at now, if anything.

        Args:
            looks: How often the older ones were looked at since the last one.
            quiet: Whether there is little to do.
        """
        if looks < ENOUGH:
            self._waits_since = now
            return None
        if quiet:
            return Extent.ALL
        if now - self._waits_since <= PATIENCE_SECONDS and resident - self._resident <= GROWTH_BYTES:
            return None
        at, before = self._all_at
        return Extent.ALL if now - at > OVERDUE_SECONDS and resident - before > GROWTH_BYTES else Extent.RECENT

    def collected(self, extent: Extent, now: float, resident: int) -> None:
        """Take notice of a collection."""
        self._waits_since, self._resident = now, resident
        if extent is Extent.ALL:
            self._all_at = now, resident


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


async def _collect_in_quiet_seconds() -> None:
    moment, looked, used = Moment(time.monotonic(), _resident()), time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, cpu = time.monotonic(), time.process_time()
        extent = moment.due(now, gc.get_count()[2], _resident(), quiet=is_quiet(now - looked, cpu - used))
        if extent is not None:
            found = collect(extent)
            moment.collected(extent, time.monotonic(), _resident())
            told = extent.name.lower(), found, (time.monotonic() - now) * 1000
            logger.debug("garbage, %s looked at: %d objects in %.0f ms", *told)
        looked, used = time.monotonic(), time.process_time()


def _resident() -> int:
    """Tell the bytes that this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0
