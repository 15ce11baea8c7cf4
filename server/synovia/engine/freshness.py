"""How recent an answer has to be: what was acknowledged to anybody before a question was asked is in its answer.

At the hub that acknowledged it this needs nothing: a response goes out after the log has brought its commit. Where other
hubs commit to the same database too, this one may lag: it asks the database for the number of the newest transaction, and
waits until its log has come so far. All who ask while such a question is on its way share the next one.

Writes of other programs have no number; the log brings them as soon as the database tells of them. A single call reads at
the newest instant of the database, and so sees those too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from synovia.engine.log import Log
from synovia.store.base import Store, StoreError, Ts
from synovia.tasks import end

logger = logging.getLogger("synovia")

RETRY_SECONDS = 0.25


class Floor:
    """The instant that an answer must not be older than.

    Attributes:
        ts: None until it is known.
    """

    __slots__ = ("_notify", "ts")

    def __init__(self, ts: Ts | None = None, notify: Callable[[], None] | None = None) -> None:
        self.ts = ts
        self._notify = notify

    def reached(self, ts: Ts) -> bool:
        """Tell whether what holds at ``ts`` is recent enough; not while nobody knows how recent it has to be."""
        return self.ts is not None and ts >= self.ts

    def settle(self, ts: Ts) -> None:
        """Take the instant, and tell who waits for it."""
        self.ts = ts
        if self._notify is not None:
            self._notify()


class Freshness:
    """Finds the floor of each answer."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store = store
        self._log = log
        self._asking: list[tuple[Floor, asyncio.Future[Ts] | None]] = []
        self._question: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def floor(self, notify: Callable[[], None]) -> Floor:
        """Give the floor of an answer that is asked for now; ``notify`` is called if it becomes known later."""
        if not self._store.shared:
            return Floor(self._log.head)
        floor = Floor(None, notify)
        self._ask(floor, None)
        return floor

    async def instant(self) -> Ts:
        """Give an instant of the database at which a single answer can be read now.

        Raises:
            StoreError: The database does not answer.
        """
        if not self._store.shared:
            return self._log.head
        future: asyncio.Future[Ts] = asyncio.get_running_loop().create_future()
        self._ask(Floor(), future)
        return await future

    async def catch_up(self) -> Ts:
        """Wait until the log has brought everything that was acknowledged before this call, and give its head."""
        known = asyncio.Event()
        floor = self.floor(known.set)
        if floor.ts is None:
            await known.wait()
        return floor.ts or self._log.head

    async def stop(self) -> None:
        """End what is still asking."""
        await end(self._tasks)

    def _ask(self, floor: Floor, instant: asyncio.Future[Ts] | None) -> None:
        self._asking.append((floor, instant))
        if self._question is None:
            self._question = self._spawn(self._question_all(), "freshness")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _question_all(self) -> None:
        try:
            while self._asking:
                asking, self._asking = self._asking, []
                try:
                    ts, fence = await self._store.newest()
                except StoreError as error:
                    await self._try_again(asking, error)
                    continue
                for _, future in asking:
                    if future is not None and not future.done():
                        future.set_result(ts)
                floors = [floor for floor, future in asking if future is None]
                if floors and fence <= self._log.fence:
                    self._settle(floors)
                elif floors:
                    self._spawn(self._wait(floors, fence), "catching up")
        finally:
            self._question = None

    async def _try_again(self, asking: list[tuple[Floor, asyncio.Future[Ts] | None]], error: StoreError) -> None:
        """Fail who wants one answer now; a subscription waits until the database answers again."""
        for _, future in asking:
            if future is not None and not future.done():
                future.set_exception(error)
        self._asking += [(floor, None) for floor, future in asking if future is None]
        if self._asking:
            logger.warning("how recent answers have to be is not known: %s; asking again", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _wait(self, floors: list[Floor], fence: int) -> None:
        await self._log.wait_for_fence(fence)
        self._settle(floors)

    def _settle(self, floors: list[Floor]) -> None:
        for floor in floors:
            floor.settle(self._log.head)
