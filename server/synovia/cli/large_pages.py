"""Large pages for the memory of a process that serves, where Linux gives them to who asks.

What a hub touches for a call, hundreds of functions and small objects, lies in more pages of 4 KiB than the processor's
table has room for. Python takes its memory 1 MiB at a time, so it begins with small pages also where the system gives large
ones to everybody (``/sys/kernel/mm/transparent_hugepage/enabled``), and keeps them where it gives them to who asks. Source:
*Transparent Hugepage Support* in Linux's admin guide; madvise(2).
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from synovia.cli.garbage import resident
from synovia.tasks import end

logger = logging.getLogger("synovia")

LARGE: Final = 2 * 1024 * 1024
"""Bytes of a large page on x86-64, and on ARM with pages of 4 KiB. Where they are larger, the kernel does less."""
LOOK_SECONDS: Final = 15.0
GROWTH_BYTES: Final = 8 * LARGE
"""So much more in memory is worth another look."""
USED: Final = 0.75
"""Memory of which less is in use, as the stack of a thread, stays as it is: a large page is there as a whole."""

_HUGEPAGE, _COLLAPSE = 14, 25
"""Of Linux's ``mman-common.h``."""
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ (\d+) *(.*)")


class Region(NamedTuple):
    """Whole large pages of memory.

    Attributes:
        start: The address, a multiple of ``LARGE``.
        length: Bytes, a multiple of ``LARGE``.
    """

    start: int
    length: int


@asynccontextmanager
async def large_pages() -> AsyncIterator[None]:
    """Ask for large pages for what is in memory, and for what comes, until the block ends."""
    madvise = find_madvise()
    if madvise is None:
        yield
        return
    asking = asyncio.create_task(_ask_as_it_grows(madvise), name="large pages")
    try:
        yield
    finally:
        await end([asking])


def regions(lines: Iterable[str]) -> Iterator[Region]:
    """Tell for which memory it is worth while: the process' own, nearly all in use, and not asked for yet.

    Args:
        lines: Those of ``/proc/PID/smaps``.
    """
    start = stop = size = used = 0
    for line in lines:
        if mapping := _MAPPING.match(line):
            start, stop = (int(mapping[each], 16) for each in (1, 2))
            own = mapping[3] == "rw-p" and mapping[4] == "0" and mapping[5] != "[stack]"
            start, stop = (-(-start // LARGE) * LARGE, stop // LARGE * LARGE) if own else (0, 0)
        elif line.startswith("Size:"):
            size = int(line.split()[1])
        elif line.startswith("Rss:"):
            used = int(line.split()[1])
        elif line.startswith("VmFlags:") and start < stop and used >= USED * size and "hg" not in line.split():
            yield Region(start, stop - start)


def ask(madvise: Callable[[int, int, int], int], *, at_once: bool) -> int:
    """Ask for all that is worth while; tell how many bytes that was.

    Args:
        madvise: That of the C library: address, bytes, advice; 0 if the kernel follows it.
        at_once: Have the pages made now (Linux 6.1), which holds up who asks for memory meanwhile, up to some milliseconds
            for each; else the kernel makes them by and by, 16 MiB in ten seconds, if nobody has told it otherwise.
    """
    try:
        with Path("/proc/self/smaps").open() as lines:
            found = list(regions(lines))
    except OSError:
        return 0
    asked = 0
    for start, length in found:
        if madvise(start, length, _HUGEPAGE) == 0:
            asked += length
            for each in range(start, start + length, LARGE) if at_once else ():
                madvise(each, LARGE, _COLLAPSE)
    logger.debug("large pages: asked for %d MiB", asked >> 20)
    return asked


def find_madvise() -> Callable[[int, int, int], int] | None:
    """Find ``madvise``; None where the system is not Linux, or Python was built without ``ctypes``."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes
    except ImportError:
        return None
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return madvise


async def _ask_as_it_grows(madvise: Callable[[int, int, int], int]) -> None:
    """Ask for what is there, and again whenever there is much more; in a thread, as it takes some milliseconds or more."""
    await asyncio.to_thread(ask, madvise, at_once=True)
    looked = resident()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if resident() - looked > GROWTH_BYTES:
            await asyncio.to_thread(ask, madvise, at_once=False)
            looked = resident()
