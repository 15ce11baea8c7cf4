"""How long a function may run, and whose fault it is if it takes longer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Final, Generic, TypeVar

from synovia.store.base import Store, StoreUnavailable
from synovia.tasks import end

T = TypeVar("T")

_PING_SECONDS: Final = 2.0
_HELD_UP: Final = 1.25
"""Whoever waits so many times as long has not been called in time: the event loop was held up, maybe by the function."""
_LISTENING_SHARE: Final = 1 / 8
"""A run that has had so much of its time asks the database whether it is there, and again after as long."""


async def within(seconds: float | None, store: Store, run: Coroutine[Any, Any, T]) -> T:
    """Run a function, but no longer than this; None: it may take as long as it will.

    A clock is set when it waits for something first. Most mutations find all that they read in memory, and never do.

    Raises:
        TimeoutError: It has taken longer.
        StoreUnavailable: It has, but the database did not answer for two seconds meanwhile, or does not then: that is not
            the fault of the function.
    """
    began = asyncio.get_running_loop().time()
    try:
        waits_for = run.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    if seconds is None:
        return await _Rest(run, waits_for)
    async with _Limit(began, seconds, store):
        return await _Rest(run, waits_for)


class _Rest(Generic[T]):
    """What is left of a coroutine that has begun, and waits for something."""

    __slots__ = ("_run", "_waits_for")

    def __init__(self, run: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._run = run
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        run, waits_for = self._run, self._waits_for
        while True:
            error: BaseException | None = None
            try:
                yield waits_for
            except BaseException as thrown:
                error = thrown
            try:
                waits_for = run.send(None) if error is None else run.throw(error)
            except StopIteration as ended:
                result: T = ended.value
                return result


class _Limit:
    """A block that is ended after some seconds, in which the database is asked now and then if it takes much of them.

    Args:
        began: When they began, by the time of the event loop.
    """

    __slots__ = ("_ends_at", "_interval", "_listening", "_listens_at", "_store", "_timeout", "_timer")

    def __init__(self, began: float, seconds: float, store: Store) -> None:
        self._ends_at = began + seconds
        self._interval = _LISTENING_SHARE * seconds
        self._listens_at = began + self._interval
        self._store = store
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._timeout = await asyncio.timeout(None).__aenter__()
        self._timer = asyncio.get_running_loop().call_at(self._listens_at, self._watch)

    def _watch(self) -> None:
        """Set the clock: most runs have ended by now."""
        self._timeout.reschedule(self._ends_at)
        self._listening = asyncio.create_task(_listen(self._store, self._interval))

    async def __aexit__(self, *error: Any) -> None:
        self._timer.cancel()
        try:
            await self._timeout.__aexit__(*error)
        except TimeoutError:
            if self._listening is not None and self._listening.done():
                self._listening.result()
            await _check(self._store)
            raise
        finally:
            if self._listening is not None:
                await end([self._listening])
                if not self._listening.cancelled():
                    self._listening.exception()  # of a run that has ended in time all the same


async def _listen(store: Store, interval: float) -> None:
    """Ask the database again and again whether it is there; raise StoreUnavailable once it does not answer."""
    while True:
        await _check(store)
        await asyncio.sleep(interval)


async def _check(store: Store) -> None:
    """Raise StoreUnavailable if the database does not answer, and that is not for want of somebody to hear it."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await store.ping()
    except TimeoutError:
        if clock() - began < _HELD_UP * _PING_SECONDS:
            raise StoreUnavailable("the database does not answer") from None
