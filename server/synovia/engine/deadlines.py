"""How long a function may run, and whose fault it is if it takes longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synovia.store.base import Store, StoreUnavailable
from synovia.tasks import end

_PING_SECONDS = 2.0


@asynccontextmanager
async def within(seconds: float | None, store: Store) -> AsyncIterator[None]:
    """Limit how long a function runs; None: it may take as long as it will.

    Raises:
        TimeoutError: It has taken longer.
        StoreUnavailable: It has, but the database did not answer, then or half-way: that is not the function's fault.
    """
    if seconds is None:
        yield
        return
    half_way: list[asyncio.Task[None]] = []
    timer = asyncio.get_running_loop().call_later(
        seconds / 2, lambda: half_way.append(asyncio.create_task(_check(store)))
    )
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        await asyncio.gather(*half_way)
        await _check(store)
        raise
    finally:
        timer.cancel()
        await end(half_way)
        for check in half_way:
            if not check.cancelled():
                check.exception()  # of a run that has ended in time all the same


async def _check(store: Store) -> None:
    """Raise StoreUnavailable if the database does not answer."""
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await store.ping()
    except TimeoutError:
        raise StoreUnavailable("the database does not answer") from None
