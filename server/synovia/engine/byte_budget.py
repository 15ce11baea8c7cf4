"""Budgets of bytes: what live queries make the hub hold, counted for each address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from synovia.engine.live_query import LiveQuery


class ByteBudget:
    """So many bytes for all, and for each address.

    Args:
        most: Of all addresses together.
        most_per_address: Of one.

    Attributes:
        bytes: What is taken, as estimated.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self.bytes = 0
        self._charged: dict[LiveQuery, tuple[int, Hashable]] = {}
        self._bytes_of: Counter[Hashable] = Counter()

    def bytes_of(self, address: Hashable) -> int:
        """Tell what one address takes."""
        return self._bytes_of.get(address, 0)

    def has(self, live: LiveQuery, size: int, address: Hashable) -> bool:
        """Tell whether a query is charged to an address with exactly so much already."""
        return self._charged.get(live) == (size, address)

    def has_room(self, size: int, address: Hashable) -> bool:
        """Tell whether an address may take so much more."""
        return self.bytes + size <= self.most and self.bytes_of(address) + size <= self.most_per_address

    def has_share(self, size: int, address: Hashable) -> bool:
        """Tell the same, but leave everybody an equal share, whatever others have taken."""
        taken = self.bytes_of(address) + size
        share = self.most // (len(self._bytes_of) + (address not in self._bytes_of))
        return taken <= self.most_per_address and (self.bytes + size <= self.most or taken <= share)

    def charge(self, live: LiveQuery, size: int, address: Hashable) -> None:
        """Charge a query with so much, instead of what it took before."""
        if live in self._charged:
            self.release(live)
        self._charged[live] = size, address
        self._bytes_of[address] += size
        self.bytes += size

    def charge_to(self, live: LiveQuery, address: Hashable) -> None:
        """Charge what a query takes to another address."""
        if live in self._charged:
            self.charge(live, self._charged[live][0], address)

    def release(self, live: LiveQuery) -> None:
        """Give back what a query takes; one that takes nothing is no error."""
        if live not in self._charged:
            return
        size, address = self._charged.pop(live)
        self.bytes -= size
        self._bytes_of[address] -= size
        if not self._bytes_of[address]:
            del self._bytes_of[address]
