"""The vectors that are nearest to one, of many documents, with some more: so most of what goes can be made up for."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from synovia import keys
from synovia.vectors.scores import Metric, Target, found_vector

SLACK: Final = 32
"""So many more than wanted are kept; once these have gone the database has to be asked."""
_ENTRY_BYTES: Final = 200


@dataclass(frozen=True)
class Near:
    """What is to be near.

    Attributes:
        vector: The bytes of float32 numbers.
        limit: How many are wanted.
    """

    vector: bytes
    metric: Metric
    limit: int

    @cached_property
    def target(self) -> Target:
        """The same, ready to be compared."""
        return Target(np.frombuffer(self.vector, dtype=np.float32), self.metric)

    @property
    def dimensions(self) -> int:
        return len(self.vector) // 4

    @property
    def kept(self) -> int:
        """How many are kept, with those that make up for others."""
        return self.limit + SLACK


Entry = tuple[float, bytes, Any]
"""A document that was found: its score with the sign turned, its encoded id, and its id; lesser ones come first."""


def entry_of(near: Near, value: Any, id_: Any) -> Entry | None:
    """Give the entry of a document; None: it has no vector of the right length."""
    vector = found_vector(value, near.dimensions)
    return None if vector is None else (-near.target.score(vector) + 0.0, keys.encode_value(id_), id_)


class Nearest:
    """The nearest documents, the nearest first, those with the same score in the order of their ids.

    Attributes:
        complete: Whether there are no others.
    """

    __slots__ = ("_entries", "_near", "complete")

    def __init__(self, near: Near, entries: Sequence[Entry] = (), *, complete: bool = True) -> None:
        self._near = near
        self._entries = [*entries]
        self.complete = complete

    def copy(self) -> Nearest:
        """Give another one of the same documents."""
        return Nearest(self._near, self._entries, complete=self.complete)

    def add(self, document: Mapping[str, Any], values: Sequence[Any]) -> None:
        """Take in a document."""
        entry = entry_of(self._near, values[0], document["_id"])
        if entry is not None and (self.complete or (self._entries and _place(entry) < _place(self._entries[-1]))):
            bisect.insort(self._entries, entry, key=_place)
            if len(self._entries) > self._near.kept:
                del self._entries[-1]
                self.complete = False

    def remove(self, document: Mapping[str, Any], values: Sequence[Any]) -> bool:
        """Take out a document that was in; tell whether it is still known which are the nearest."""
        entry = entry_of(self._near, values[0], document["_id"])
        if entry is not None:
            place = bisect.bisect_left(self._entries, _place(entry), key=_place)
            if place < len(self._entries) and _place(self._entries[place]) == _place(entry):
                del self._entries[place]
        return self.complete or len(self._entries) >= self._near.limit

    def first(self) -> list[tuple[Any, float]]:
        """Give the ids of all that are kept, with their scores."""
        return [(id_, -score + 0.0) for score, _, id_ in self._entries]

    def footprint(self) -> int:
        """Estimate the bytes it takes."""
        return _ENTRY_BYTES * len(self._entries)


def _place(entry: Entry) -> tuple[float, bytes]:
    return entry[:2]
