"""What waits for slow clients, those of an address and all of a hub together: each connection alone may have its bound, and
there are many of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Protocol

from synovia.limits.settings import HubLimits


class Slow(Protocol):
    """A connection for which something waits."""

    def let_go(self, whose: str, most: int) -> None:
        """End it at once, as more than ``most`` bytes wait for the clients of ``whose``."""
        ...


class Backlog:
    """Counts the bytes that wait for each connection, and lets go those with most while it is too much.

    Attributes:
        bytes: For all of them.
    """

    def __init__(self, limits: HubLimits) -> None:
        self._most = limits.max_outbox_bytes_of_all
        self._most_per_address = limits.max_outbox_bytes_per_address
        self._waiting: dict[Slow, tuple[Hashable, int]] = {}
        self._bytes_of: Counter[Hashable] = Counter()
        self.bytes = 0

    def bytes_of(self, address: Hashable) -> int:
        """Tell what waits for the connections of an address."""
        return self._bytes_of.get(address, 0)

    def note(self, connection: Slow, address: Hashable, size: int) -> None:
        """Take notice of how much waits for a connection now; 0 if nothing does, or it has ended."""
        _, before = self._waiting.pop(connection, (address, 0))
        if size:
            self._waiting[connection] = address, size
        if size == before:
            return
        self.bytes += size - before
        self._bytes_of[address] += size - before
        if not self._bytes_of[address]:
            del self._bytes_of[address]
        if size > before:
            self._bound(address)

    def _bound(self, address: Hashable) -> None:
        while self.bytes_of(address) > self._most_per_address:
            self._let_go_largest("this address", self._most_per_address, address)
        while self.bytes > self._most:
            self._let_go_largest("this server", self._most)

    def _let_go_largest(self, whose: str, most: int, address: Hashable = None) -> None:
        among = (one for one, (where, _) in self._waiting.items() if address in (None, where))
        largest = max(among, key=lambda one: self._waiting[one][1])
        self.note(largest, self._waiting[largest][0], 0)
        largest.let_go(whose, most)
