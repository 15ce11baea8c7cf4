"""The least and greatest values, with some more of those next to them: so most of what goes can be made up for."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, Final

KEPT: Final = 32
"""So many different values are kept; once all of them have gone the database has to be asked."""


class Extreme:
    """The least values of some, in the order of an index, each with how often it occurs.

    Args:
        greatest: Keep the greatest instead.

    Attributes:
        complete: Whether there are no others.
    """

    __slots__ = ("_counts", "_greatest", "_keys", "_values", "complete")

    def __init__(self, *, greatest: bool = False) -> None:
        self._greatest = greatest
        self._keys: list[bytes] = []  # ascending
        self._counts: dict[bytes, int] = {}
        self._values: dict[bytes, Any] = {}
        self.complete = True

    def copy(self) -> Extreme:
        """Give another one of the same values."""
        other = Extreme(greatest=self._greatest)
        other._keys, other._counts, other._values = list(self._keys), dict(self._counts), dict(self._values)
        other.complete = self.complete
        return other

    def add(self, key: bytes, value: Any) -> None:
        """Take in a value by its index key."""
        if key in self._counts:
            self._counts[key] += 1
        elif self.complete or not self._is_beyond(key):
            bisect.insort(self._keys, key)
            self._counts[key], self._values[key] = 1, value
            if len(self._keys) > KEPT:
                self._forget(self._keys[0 if self._greatest else -1])
                self.complete = False

    def remove(self, key: bytes) -> bool:
        """Take out a value that was in; tell whether it is still known which is the first."""
        if key in self._counts:
            self._counts[key] -= 1
            if not self._counts[key]:
                self._forget(key)
        return self.complete or bool(self._keys)

    def first(self) -> Any:
        """Give the least value, or the greatest; None if there is none."""
        return self._values[self._keys[-1 if self._greatest else 0]] if self._keys else None

    def keys(self) -> Sequence[bytes]:
        """Give the keys that are kept."""
        return self._keys

    def _is_beyond(self, key: bytes) -> bool:
        return key < self._keys[0] if self._greatest else key > self._keys[-1]

    def _forget(self, key: bytes) -> None:
        del self._keys[bisect.bisect_left(self._keys, key)], self._counts[key], self._values[key]
