"""Garbage collection of a process that serves: what is there from the start is not looked at again and again."""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
"""So long a full collection waits for a quiet second at most,"""
GROWTH_BYTES: Final = 256 * 1024 * 1024
"""or until the process has grown by so much."""
QUIET: Final = 0.25
"""The share of a core that a process uses that has little to do."""


@asynccontextmanager
async def tuned() -> AsyncIterator[None]:
    """Collect garbage as suits a server that has just started, until the block ends.

    A full collection stops everything: 100 ms with 500 clients, 400 ms with a live query over 10,000 documents; and with
    Python's own thresholds it comes often, most of all amid large reads. Nearly everything that pushes and requests need is
    freed without it. So what is there when the server starts, and stays, is taken out of it, and it waits for a second in
    which there is little to do. A connection that has ended may wait a little longer. What is young is looked at twice at
    most before it counts as old: a long read makes so many objects that looking at them ten times takes 30 ms.
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
    """Tells when a full collection is due: it is worth while, and nobody is kept waiting for it, or it cannot wait.

    Args:
        now: Seconds of a steady clock.
        resident: The bytes that the process has in memory.
    """

    def __init__(self, now: float, resident: int) -> None:
        self._waits_since = now
        self._resident = resident

    def has_come(self, now: float, looks: int, share: float, resident: int) -> bool:
        """Tell whether to collect now.

        Args:
            looks: How often the older ones were looked at since the last one.
            share: Of a core, that the process has used lately.
        """
        if looks < ENOUGH:
            self._waits_since = now
            return False
        late = now - self._waits_since > PATIENCE_SECONDS or resident - self._resident > GROWTH_BYTES
        return share < QUIET or late

    def collected(self, now: float, resident: int) -> None:
        """Take notice of a full collection."""
        self._waits_since, self._resident = now, resident


async def _collect_in_quiet_seconds() -> None:
    moment, looked, used = Moment(time.monotonic(), _resident()), time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, cpu = time.monotonic(), time.process_time()
        if moment.has_come(now, gc.get_count()[2], (cpu - used) / (now - looked), _resident()):
            found = gc.collect()
            moment.collected(time.monotonic(), _resident())
            logger.debug("garbage: %d objects in %.0f ms", found, (time.monotonic() - now) * 1000)
        looked, used = now, cpu


def _resident() -> int:
    """Tell the bytes that this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0
