"""The hub's view of the log: the newest timestamp, a window of recent commits, and whoever waits for either."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, aclosing

from synovia.keys import IndexSpec
from synovia.schema import IdClock, Reading
from synovia.store.base import Commit, Gap, Store, Ts
from synovia.transaction.keyed import Indexes, KeyedCommit
from synovia.transaction.recall import Recall

logger = logging.getLogger("synovia")

PIN_SECONDS = 30.0
"""So long a run may keep the window open; then what it has read may have changed unseen, and it is run again."""
MOST_PINNED = 8
"""Nor may the window grow beyond so many times its size."""

Listener = Callable[[KeyedCommit | Gap], None]


def _no_indexes(table: str) -> Iterable[IndexSpec]:
    return ()


class Log:
    """Follows ``store.changes`` and tells its listener of every commit, in order, just before it becomes the head.

    A commit without writes says that time has advanced.

    Args:
        ids: The clock of ids, which what other hubs commit moves on.
        indexes: Tells by which indexes the listener will look at a commit.
        keep: How many commits the window holds beyond those that running mutations need.
        keep_bytes: The bytes of their documents, likewise.

    Attributes:
        head: The newest timestamp; everything up to it has been delivered.
        fence: How many Synovia transactions the log has delivered.
        clock: The newest reading from which these made ids.
        advanced_at: When it last brought anything, by the monotonic clock.
        gaps: How often its position was lost, and ``last_gap`` when that last was, in seconds since 1970.
    """

    def __init__(
        self, store: Store, listener: Listener, ids: IdClock, *, indexes: Indexes = _no_indexes, keep: int = 4096,
        keep_bytes: int = 32 * 1024 * 1024,
    ) -> None:  # fmt: skip
        self._store = store
        self._listener = listener
        self._indexes = indexes
        self._ids = ids
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._bytes = 0
        self._window: deque[KeyedCommit] = deque()
        self._window_start: Ts = 0
        self._pins: dict[object, tuple[Ts, float]] = {}  # the oldest first
        self._waiting: list[tuple[Ts, asyncio.Future[None]]] = []
        self._waiting_for_fence: list[tuple[int, asyncio.Future[None]]] = []
        self.head: Ts = 0
        self.fence = 0
        self.clock: Reading = 0
        self.advanced_at = time.monotonic()
        self.gaps = 0
        self.last_gap: float | None = None

    async def start(self) -> None:
        """Begin at the newest commit."""
        self.head, self.fence = await self._store.newest()
        self.clock = await self._store.clock()
        self._ids.advance(self.clock)
        self._window_start = self.head

    async def follow(self) -> None:
        """Deliver commits until cancelled."""
        async with aclosing(self._store.changes(self.head)) as changes:  # type: ignore[type-var]
            async for change in changes:
                await self._deliver_or_pass_over(change)

    async def _deliver_or_pass_over(self, change: Commit | Gap) -> None:
        """Deliver a change; a commit that cannot be taken in is a gap, since it would fail again each time it came."""
        try:
            self._deliver(change if isinstance(change, Gap) else await self._keyed(change))
        except Exception as error:
            if isinstance(change, Gap):
                raise
            logger.exception("the commit at %d cannot be taken in", change.ts)
            fence = self.fence if change.fence is None else max(self.fence, change.fence)
            self._deliver(Gap(change.ts, f"{type(error).__name__}: {error}", fence, change.clock))

    async def _keyed(self, commit: Commit) -> KeyedCommit:
        made = commit.clock if commit.clock > self.clock else 0
        return await KeyedCommit.gathered(
            commit.ts, commit.writes, commit.fence, made, commit.token, self._indexes, commit.size
        )

    def _deliver(self, change: KeyedCommit | Gap) -> None:
        self.advanced_at = time.monotonic()
        if change.clock > self.clock:
            self.clock = change.clock
            self._ids.advance(change.clock)
        if isinstance(change, Gap):
            self._window.clear()
            self._bytes = 0
            self._window_start = change.ts
            self.fence = change.fence
            self.gaps += 1
            self.last_gap = time.time()
            logger.warning("the log has a gap up to %d, everything is recomputed: %s", change.ts, change.reason)
            self._listener(change)
        else:
            self.fence = self.fence if change.fence is None else max(self.fence, change.fence)
            if change.points:
                self._add(change)
            self._listener(change)
        self.head = max(self.head, change.ts)
        self._wake()

    def _add(self, commit: KeyedCommit) -> None:
        self._window.append(commit)
        self._bytes += commit.size
        self._trim()

    def _trim(self) -> None:
        if not self._is_too_much():
            return
        oldest_needed = self._oldest_needed()
        while self._is_too_much() and self._window[0].ts <= oldest_needed:
            dropped = self._window.popleft()
            self._window_start = dropped.ts
            self._bytes -= dropped.size

    def _oldest_needed(self) -> Ts:
        """Tell from where the commits are needed; who needs them for too long, or too many, has to begin again."""
        if self._bytes > MOST_PINNED * self._keep_bytes or len(self._window) > MOST_PINNED * self._keep:
            return self.head
        too_old = time.monotonic() - PIN_SECONDS
        return min((ts for ts, since in self._pins.values() if since > too_old), default=self.head)

    def _is_too_much(self) -> bool:
        return len(self._window) > 1 and (len(self._window) > self._keep or self._bytes > self._keep_bytes)

    def pinned(self, ts: Ts) -> AbstractContextManager[None]:
        """Keep the commits after ``ts`` in the window as long as the block runs, but not without a bound."""
        return _Pin(self._pins, ts)

    def brought_up_to(self, ts: Ts, recall: Recall) -> Recall:
        """Give what a run has left, together with every commit from then up to ``ts`` if the window has them all."""
        known = recall.ts
        commits = None if known is None or known > ts else self.since(known)
        if commits is None:
            recall.forget()
            commits = []
        elif commits and commits[-1].ts > ts:
            commits = [commit for commit in commits if commit.ts <= ts]
        recall.since = commits
        return recall

    def since(self, ts: Ts) -> list[KeyedCommit] | None:
        """Give the commits after ``ts``, or None if the window does not reach back so far."""
        if ts < self._window_start:
            return None
        found = list[KeyedCommit]()
        for commit in reversed(self._window):  # few are asked for, mostly
            if commit.ts <= ts:
                break
            found.append(commit)
        found.reverse()
        return found

    def reaches_back_to(self, ts: Ts) -> bool:
        """Tell whether the window has all commits after ``ts``."""
        return ts >= self._window_start

    async def wait_for(self, ts: Ts) -> None:
        """Wait until everything up to ``ts`` has been delivered."""
        if self.head < ts:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((ts, future))
            await future

    async def wait_for_fence(self, number: int) -> None:
        """Wait until so many Synovia transactions have been delivered."""
        if self.fence < number:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting_for_fence.append((number, future))
            await future

    async def wait_for_more(self) -> None:
        """Wait until the log moves at all."""
        await self.wait_for(self.head + 1)

    def _wake(self) -> None:
        if self._waiting:
            self._waiting = _woken(self._waiting, self.head)
        if self._waiting_for_fence:
            self._waiting_for_fence = _woken(self._waiting_for_fence, self.fence)


class _Pin:
    """Something that needs the commits after a timestamp, as long as a block runs."""

    __slots__ = ("_pins", "_ts")

    def __init__(self, pins: dict[object, tuple[Ts, float]], ts: Ts) -> None:
        self._pins = pins
        self._ts = ts

    def __enter__(self) -> None:
        self._pins[self] = self._ts, time.monotonic()

    def __exit__(self, *error: object) -> None:
        del self._pins[self]


def _woken(waiting: list[tuple[int, asyncio.Future[None]]], reached: int) -> list[tuple[int, asyncio.Future[None]]]:
    """Wake who waits for no more than ``reached``, and give the others."""
    for wanted, future in waiting:
        if wanted <= reached and not future.done():
            future.set_result(None)
    return [(wanted, future) for wanted, future in waiting if not future.done()]
