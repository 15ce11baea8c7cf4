"""Live queries that nobody holds any more, kept for clients that come back: in a budget of bytes, the oldest goes first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from synovia.engine.live_query import LiveQuery
from synovia.engine.settings import EngineLimits

_BASE: Final = 4096
"""What a query costs beside its results: its key and arguments, its entries in indexes."""


@dataclass(frozen=True, slots=True)
class _Entry:
    size: int
    address: Hashable
    until: float


class Lingering:
    """The live queries of a hub that have no subscribers.

    Args:
        forget: Gives a query up for good.
        seconds: How long one is kept at most.
        limits: How many bytes all of them, and those left by one address, may take.

    Attributes:
        bytes: What they take, as estimated when each was left.
    """

    def __init__(self, forget: Callable[[LiveQuery], None], seconds: float, limits: EngineLimits) -> None:
        self._forget = forget
        self._seconds = seconds
        self._limits = limits
        self._entries: OrderedDict[LiveQuery, _Entry] = OrderedDict()  # the oldest first, as in those of each address
        self._by_address: defaultdict[Hashable, OrderedDict[LiveQuery, None]] = defaultdict(OrderedDict)
        self._bytes_of: defaultdict[Hashable, int] = defaultdict(int)
        self._timer: asyncio.TimerHandle | None = None
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, live: LiveQuery, address: Hashable) -> None:
        """Keep a query that was left by somebody from this address, as the newest."""
        self.remove(live)
        size = _BASE + live.footprint()
        self._entries[live] = _Entry(size, address, asyncio.get_running_loop().time() + self._seconds)
        self._by_address[address][live] = None
        self._bytes_of[address] += size
        self.bytes += size
        while self._bytes_of[address] > self._limits.max_lingering_bytes_per_address:
            self._give_up(next(iter(self._by_address[address])))
        while self.bytes > self._limits.max_lingering_bytes:
            self._give_up(next(iter(self._entries)))
        self._set_timer()

    def remove(self, live: LiveQuery) -> bool:
        """Take a query out: it is held again, or given up; tell whether it was there."""
        entry = self._entries.pop(live, None)
        if entry is None:
            return False
        self.bytes -= entry.size
        self._bytes_of[entry.address] -= entry.size
        del self._by_address[entry.address][live]
        if not self._by_address[entry.address]:
            del self._by_address[entry.address], self._bytes_of[entry.address]
        return True

    def stop(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _give_up(self, live: LiveQuery) -> None:
        self.remove(live)
        self._forget(live)

    def _set_timer(self) -> None:
        if self._timer is None and self._entries:
            oldest = next(iter(self._entries.values()))
            self._timer = asyncio.get_running_loop().call_at(oldest.until, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._entries and next(iter(self._entries.values())).until <= now:
            self._give_up(next(iter(self._entries)))
        self._set_timer()
