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

THRESHOLDS: Final = 2_000, 1, 1_000_000
"""Objects in containers before the young are looked at, how often that before the older ones are, and before all are: never,
by itself."""
ENOUGH: Final = 100
"""Looks at the older ones after which a full collection is worth while."""
FEW: Final = 3
"""Looks after which what is recent is gone through, though others wait: in about a hundredth of a second."""
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
    recent = Recent(asyncio.get_running_loop())
    gc.callbacks.append(recent)
    collecting = asyncio.create_task(_collect_in_quiet_seconds(recent, seconds / _blocks()), name="garbage")
    try:
        yield
    finally:
        await end([collecting])
        gc.callbacks.remove(recent)
        gc.set_threshold(*before)


class Recent:
    """Goes through what is recent after some looks, between two things that a loop does; a callback of ``gc``.

    Attributes:
        looks: How often the older ones were looked at since all were.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._since = 0
        self._is_due = False
        self.looks = 0

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Take notice of a collection, in whichever thread it was."""
        if phase == "stop" and info["generation"] == 1:
            self.looks += 1
            self._since += 1
            if self._since >= FEW and not self._is_due:
                self._is_due = True
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._since, self._is_due = 0, False
        collect()


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
            looks: How often the older ones were looked at since the last time.
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


async def _collect_in_quiet_seconds(recent: Recent, seconds_each: float) -> None:
    """Look at all from time to time; ``seconds_each`` is how long that takes for each block of memory."""
    moment, looked, used = Moment(time.monotonic(), _resident()), time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, cpu = time.monotonic(), time.process_time()
        quiet = is_quiet(now - looked, cpu - used)
        if moment.is_due(now, recent.looks, _resident(), quiet=quiet, seconds=lambda: seconds_each * _blocks()):
            gc.unfreeze()
            found, moment, recent.looks = collect(), Moment(now, _resident()), 0
            logger.debug("garbage: %d objects in %.0f ms", found, (time.monotonic() - now) * 1000)
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
