"""A memory of those who have come of late, bounded in size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """Entries in the order in which they were used; of more than ``most`` the one unused for longest is forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def use(self, key: K, make: Callable[[], V]) -> V:
        """Give an entry, which is made if it is not there."""
        found = self[key] if key in self else make()
        self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Set an entry, the last one now to be forgotten."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
