"""The thread of a database: what is short goes before what is long, and what only reads goes on amid a commit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, Final, TypeVar

from synovia import charges
from synovia.store.base import StoreUnavailable
from synovia.turns import hurried

Result = TypeVar("Result")

_SHARE: Final = 4
"""Of so many jobs one is the least urgent that waits: nothing waits for ever."""
_PAUSE_SECONDS: Final = 0.005
_LULL_SECONDS: Final = 0.02
"""When nobody has come for so long, nobody is likely to come soon."""
_FREE_SECONDS: Final = 0.0005
"""What takes no longer behind a job is not worth being charged."""


class Urgency(IntEnum):
    """How soon a job is done, and whether that may be amid a commit, of which it must not see anything."""

    READ = 0  # short, and only reads what was committed
    WORK = 1  # anything else, never amid a commit
    SCAN = 2  # begins to read something that may be long
    LONG_SCAN = 3  # goes on with it
    LATER = 4  # nobody waits for it; never amid a commit


_READS: Final = (Urgency.READ, Urgency.SCAN, Urgency.LONG_SCAN)
_SHORT_READS: Final = (Urgency.READ, Urgency.SCAN)


def nobody_waits() -> bool:
    """Tell that nobody waits for the thread, as where there is none."""
    return False


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    charge: charges.Charge | None = field(default_factory=charges.current)

    def run(self) -> None:
        if self.future.cancelled():
            return
        began = charges.clock()
        try:
            result, error = self.work(), None
        except BaseException as failure:
            result, error = None, failure
        seconds = charges.clock() - began
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self.future.get_loop().call_soon_threadsafe(self._settle, seconds, result, error)

    def follow(self, work: Callable[[], bool]) -> bool:
        """Do what comes behind it, at its cost."""
        began = charges.clock()
        result = work()
        seconds = charges.clock() - began
        if self.charge is not None and seconds > _FREE_SECONDS:
            with suppress(RuntimeError):
                self.future.get_loop().call_soon_threadsafe(self.charge.add, seconds)
        return result

    def _settle(self, seconds: float, result: Any, error: BaseException | None) -> None:
        if self.charge is not None:
            self.charge.add(seconds)
        if self.future.cancelled():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Worker:
    """Does jobs one after the other in a thread of its own, those of one urgency in the order in which they come.

    While that waits for the disk (``lend``), another one does what is short and only reads. One of them has the database.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._queues: dict[Urgency, deque[_Job]] = {urgency: deque() for urgency in Urgency}
        self._lock = threading.Lock()
        self._wanted = threading.Condition(self._lock)  # something waits to be done
        self._readable = threading.Condition(self._lock)  # something waits to be read, and the database is lent
        self._given_back = threading.Condition(self._lock)
        self._lent = self._reading = self._over = False
        self._last: _Job | None = None
        self._count = 0
        self._behind: Callable[[bool], bool] = lambda is_lull: False
        threading.Thread(target=self._work, name=name, daemon=True).start()
        threading.Thread(target=self._read, name=f"{name} reading", daemon=True).start()

    async def run(self, work: Callable[[], Result], urgency: Urgency = Urgency.WORK) -> Result:
        """Have a job done and wait for its result; if its caller is cancelled before it has begun, it is left out.

        Raises:
            StoreUnavailable: The thread is stopping.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        with hurried():
            with self._lock:
                if self._last is not None:
                    raise StoreUnavailable("the store is closed")
                self._queues[urgency].append(job)
                (self._readable if self._lent else self._wanted).notify()
            result: Result = await job.future
        return result

    def leave(self, work: Callable[[], Any]) -> None:
        """Have a job done of which nobody needs to hear, unless the thread is stopping."""
        job = _Job(work, asyncio.get_running_loop().create_future())
        job.future.add_done_callback(lambda future: future.cancelled() or future.exception())
        with self._lock:
            if self._last is None:
                self._queues[Urgency.LATER].append(job)
                self._wanted.notify()

    async def end(self, work: Callable[[], None]) -> None:
        """Do a last job when everything is done that waits, and end the thread."""
        job = _Job(work, asyncio.get_running_loop().create_future())
        with self._lock:
            self._last = job
            self._wanted.notify()
        await job.future

    def do_behind(self, work: Callable[[bool], bool]) -> None:
        """Do this behind each job from now on, when that has been answered; called in the thread itself.

        Args:
            work: Tells whether it is to be done again in the next lull, and is told whether this is one: nobody has come
                for some milliseconds. What it takes is charged to whom the job is charged.
        """
        self._behind = work

    @property
    def is_wanted(self) -> bool:
        """Whether anything waits that goes before a long read; what is long asks it in the thread itself, and stops."""
        return bool(self._queues[Urgency.READ] or self._queues[Urgency.WORK])

    def pause(self) -> None:
        """Amid a long commit: let those read who wait, for some milliseconds; called in the thread itself."""
        deadline = time.perf_counter() + _PAUSE_SECONDS
        while (job := self._next_of(_READS)) is not None:
            job.run()
            if time.perf_counter() > deadline:
                return

    def lend(self, work: Callable[[], None]) -> None:
        """Amid a commit: do what needs no database, as waiting for the disk, while others read; called in the thread."""
        with self._lock:
            self._lent = True
            self._readable.notify()
        try:
            work()
        finally:
            with self._lock:
                self._lent = False
                self._given_back.wait_for(lambda: not self._reading)

    def _read(self) -> None:
        while (job := self._next_to_read()) is not None:
            job.run()
            del job

    def _next_to_read(self) -> _Job | None:
        with self._lock:
            self._reading = False
            self._given_back.notify()
            self._readable.wait_for(
                lambda: self._over or (self._lent and any(self._queues[urgency] for urgency in _SHORT_READS))
            )
            if self._over:
                return None
            self._reading = True
            return self._take(_SHORT_READS)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            if job.follow(partial(self._behind, False)) and self._is_lull():
                job.follow(partial(self._behind, True))
            del job  # or its work would be kept until there is more
        if self._last is not None:
            self._last.run()
        with self._lock:
            self._over = True
            self._readable.notify()

    def _next_of(self, allowed: tuple[Urgency, ...]) -> _Job | None:
        with self._lock:
            return self._take(allowed)

    def _next(self) -> _Job | None:
        with self._lock:
            self._wanted.wait_for(self._has_more)
            return self._take(tuple(Urgency))

    def _is_lull(self) -> bool:
        with self._lock:
            return not self._wanted.wait_for(self._has_more, _LULL_SECONDS)

    def _has_more(self) -> bool:
        return any(self._queues.values()) or self._last is not None

    def _take(self, allowed: tuple[Urgency, ...]) -> _Job | None:
        waiting = [self._queues[urgency] for urgency in allowed if self._queues[urgency]]
        if not waiting:
            return None
        self._count += 1
        return waiting[-1 if self._count % _SHARE == 0 else 0].popleft()
