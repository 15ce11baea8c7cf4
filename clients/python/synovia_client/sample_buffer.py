"""The samples of a live session on the side of whoever watches: series that grow together at their ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from synovia_protocol.messages import ArrayRef

_ROOM = 4_096


class Segment(NamedTuple):
    """A stretch of a session as the server tells of it: where it begins, and the array of each series.

    An array is named, to be fetched, or its samples came with the news of it.
    """

    start: int
    arrays: Mapping[str, ArrayRef | npt.NDArray[Any]]

    @property
    def stop(self) -> int:
        """The end: of the shortest of its arrays, should they differ."""
        return self.start + min(map(_length, self.arrays.values()), default=0)

    @property
    def samples(self) -> Mapping[str, npt.NDArray[Any]] | None:
        """The samples of all series, if all came with the news."""
        here = {name: array for name, array in self.arrays.items() if not isinstance(array, ArrayRef)}
        return here if len(here) == len(self.arrays) else None


def _length(array: ArrayRef | npt.NDArray[Any]) -> int:
    return array.length if isinstance(array, ArrayRef) else len(array)


class Missing(NamedTuple):
    """What of a segment is not here yet, counted from the segment's own first sample."""

    segment: Segment
    start: int
    stop: int


class SampleBuffer:
    """Holds samples ``[begin, end)`` of some series, growing at the end.

    Args:
        names: The series.
        keep: So many samples are held; older ones are forgotten when there are twice as many. None: all.
    """

    def __init__(self, names: Collection[str], keep: int | None = None) -> None:
        self._held = {name: np.empty(_ROOM) for name in names}
        self._keep = keep
        self.begin = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.begin

    def restart(self, begin: int) -> None:
        """Forget everything; the next sample is that one."""
        self.begin = self.end = begin

    def values(self, name: str, start: int, stop: int) -> npt.NDArray[np.float64]:
        """Give the samples ``[start, stop)`` of a series, as far as they are here, without copying them."""
        first, last = max(start, self.begin), min(stop, self.end)
        return self._held[name][first - self.begin : max(first, last) - self.begin]

    def missing(self, segments: Sequence[Segment]) -> list[Missing]:
        """List what of these segments is missing, in order. Larger ones that replace smaller ones are here in part."""
        found = []
        end = self.end
        for segment in sorted(segments, key=lambda each: each.start):
            if segment.stop > end >= segment.start:
                found.append(Missing(segment, end - segment.start, segment.stop - segment.start))
                end = segment.stop
        return found

    def put(self, start: int, arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
        """Add samples of all series that begin at a place; False if there is a gap before them, or nothing new."""
        stop = start + min(len(array) for array in arrays.values())
        if not start <= self.end < stop:
            return False
        self._reserve(stop - self.end)
        for name, held in self._held.items():
            held[self.end - self.begin : stop - self.begin] = arrays[name][self.end - start : stop - start]
        self.end = stop
        self._forget()
        return True

    def _reserve(self, more: int) -> None:
        needed = len(self) + more
        for name, held in self._held.items():
            if needed > len(held):
                self._held[name] = np.empty(needed * 2)
                self._held[name][: len(self)] = held[: len(self)]

    def _forget(self) -> None:
        if self._keep is None or len(self) <= 2 * self._keep:
            return
        drop, size = len(self) - self._keep, len(self)
        for name, held in self._held.items():
            self._held[name] = np.empty(len(held))  # what was given to somebody to draw stays as it is
            self._held[name][: self._keep] = held[drop:size]
        self.begin += drop
