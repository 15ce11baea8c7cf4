"""The driver's waits on Python 3.11, where a cancellation could lock up a client for good.

The driver waits for a primary on a condition, through ``asyncio.wait_for``. Before Python 3.12 that runs what it waits for
in a task of its own; cancelled at the moment when its time is up, it leaves that task behind, which takes the lock of the
driver's topology and never gives it back: every call from then on waits for ever, and no cancellation ends it. A hundred
calls that time out while the database is away are enough. Since 3.12 (gh-96764) it waits in the task that calls it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """Do what ``asyncio.wait_for`` does since Python 3.12.

    Args:
        timeout: Seconds; None waits for ever.

    Raises:
        TimeoutError: The time is up.
    """
    async with asyncio.timeout(timeout):
        return await awaitable


def make_waits_interruptible() -> None:
    """Have the driver of this process wait in the task that calls it; needless from Python 3.12 on."""
    if sys.version_info < (3, 12):
        setattr(pymongo.lock, "wait_for", wait_for)  # noqa: B010 - what a module imports is not declared as its own
