"""The subscription index: from a commit to the live queries it may change, at a cost that depends on what is affected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Generic, TypeVar

from synovia.keys import IndexSpec
from synovia.keys.interval_map import IntervalMap
from synovia.store.filters import Filter, matches
from synovia.transaction.readset import KeyedCommit, KeyedWrite, Point, RangeRead, ReadSet

S = TypeVar("S", bound=Hashable)


class SubscriptionIndex(Generic[S]):
    """Read sets of many subscribers, searchable by what a commit wrote."""

    def __init__(self) -> None:
        self._read_sets: dict[S, ReadSet] = {}
        self._points: dict[Point, set[S]] = defaultdict(set)
        self._ranges: dict[str, dict[IndexSpec, IntervalMap[tuple[S, Filter | None]]]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._read_sets)

    def __contains__(self, subscriber: S) -> bool:
        return subscriber in self._read_sets

    def replace(self, subscriber: S, read_set: ReadSet) -> None:
        """Set what a subscriber has read, instead of what it had read before."""
        old = self._read_sets.get(subscriber, _NOTHING)
        self._read_sets[subscriber] = read_set
        for point in read_set.points - old.points:
            self._points[point].add(subscriber)
        for read in read_set.ranges - old.ranges:
            self._tree(read).add(read.interval, (subscriber, read.where))
        self._drop(subscriber, old.points - read_set.points, old.ranges - read_set.ranges)

    def remove(self, subscriber: S) -> None:
        """Forget a subscriber; one that is not there is no error."""
        read_set = self._read_sets.pop(subscriber, _NOTHING)
        self._drop(subscriber, read_set.points, read_set.ranges)

    def affected(self, commit: KeyedCommit) -> set[S]:
        """Find the subscribers whose read set the commit touches."""
        found: set[S] = set()
        for point in commit.points:
            found.update(self._points.get(point, ()))
        for table, writes in commit.by_table.items():
            for index, tree in self._ranges.get(table, {}).items():
                for write in writes:
                    self._search(tree, index, write, found)
        return found

    @staticmethod
    def _search(tree: IntervalMap[tuple[S, Filter | None]], index: IndexSpec, write: KeyedWrite, found: set[S]) -> None:
        for key, image in write.entries(index):
            for subscriber, where in tree.containing(key):
                if subscriber not in found and (where is None or matches(where, image)):
                    found.add(subscriber)

    def _tree(self, read: RangeRead) -> IntervalMap[tuple[S, Filter | None]]:
        trees = self._ranges[read.table]
        if read.index not in trees:
            trees[read.index] = IntervalMap()
        return trees[read.index]

    def _drop(self, subscriber: S, points: set[Point], ranges: set[RangeRead]) -> None:
        for point in points:
            self._points[point].remove(subscriber)
            if not self._points[point]:
                del self._points[point]
        for read in ranges:
            tree = self._tree(read)
            tree.remove(read.interval, (subscriber, read.where))
            if not len(tree):
                del self._ranges[read.table][read.index]


_NOTHING = ReadSet()
