"""The subscription index: from a commit to the live queries it may change, at a cost that depends on what is affected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from synovia.keys import IndexSpec
from synovia.keys.interval_map import IntervalMap
from synovia.schema import Document
from synovia.store.filters import Filter, compiled
from synovia.transaction.keyed import FEW, KeyedCommit, KeyedWrite, Point
from synovia.transaction.readset import RangeRead, ReadSet

S = TypeVar("S", bound=Hashable)
_Tree = IntervalMap[tuple[S, Filter | None]]

MOST_TESTS: Final = 20_000
"""So many conditions are evaluated for one commit; the rest count as satisfied, which costs a run, but holds up nobody."""
_CHEAPER: Final = 8
"""So many times cheaper it is to find the writes in an interval than the intervals that hold a write."""


class SubscriptionIndex(Generic[S]):
    """Read sets of many subscribers, searchable by what a commit wrote."""

    def __init__(self) -> None:
        self._read_sets: dict[S, ReadSet] = {}
        self._points: dict[Point, set[S]] = defaultdict(set)
        self._ranges: dict[str, dict[IndexSpec, _Tree[S]]] = defaultdict(dict)

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
        search: _Search[S] = _Search(commit)
        for point in commit.points:
            search.found.update(self._points.get(point, ()))
        for table, writes in commit.by_table.items():
            for index, tree in self._ranges.get(table, {}).items():
                if commit.has_many_entries(table, index) and len(tree) < _CHEAPER * _count(writes, index):
                    search.by_interval(table, index, tree)
                else:
                    search.by_write(writes, index, tree)
        return search.found

    def at(self, point: Point) -> set[S]:
        """Find the subscribers that have read one document, or what the server keeps in memory under such a name."""
        return self._points.get(point, set())

    def read_by(self, subscriber: S) -> ReadSet:
        """Give what a subscriber has read."""
        return self._read_sets.get(subscriber, _NOTHING)

    def indexes(self, table: str) -> Iterable[IndexSpec]:
        """Give the indexes of a table of which intervals were read."""
        return self._ranges.get(table, {})

    def _tree(self, read: RangeRead) -> _Tree[S]:
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


def _count(writes: Sequence[KeyedWrite], index: IndexSpec) -> int:
    return len(writes) if len(writes) > FEW else sum(len(write.entries(index)) for write in writes)


class _Search(Generic[S]):
    """The subscribers that a commit affects, as far as they are known."""

    def __init__(self, commit: KeyedCommit) -> None:
        self._commit = commit
        self._tests_left = MOST_TESTS
        self.found: set[S] = set()

    def by_interval(self, table: str, index: IndexSpec, tree: _Tree[S]) -> None:
        """Look for what was written in each interval; quick if there are many writes."""
        for interval, values in tree.items():
            images = [image for _, image in self._commit.within(table, index, interval)]
            for subscriber, where in values if images else ():
                if subscriber not in self.found and self._holds(where, images):
                    self.found.add(subscriber)

    def by_write(self, writes: Iterable[KeyedWrite], index: IndexSpec, tree: _Tree[S]) -> None:
        """Look for the intervals in which each write lies; quick if there are many intervals."""
        for write in writes:
            for key, image in write.entries(index):
                for subscriber, where in tree.containing(key):
                    if subscriber not in self.found and self._holds(where, (image,)):
                        self.found.add(subscriber)

    def _holds(self, where: Filter | None, images: Sequence[Document]) -> bool:
        """Tell whether one of some documents satisfies a condition, or there is no time to find that out."""
        if where is None:
            return True
        at_once, self._tests_left = self._tests_left, max(0, self._tests_left - len(images))
        test = compiled(where)
        return any(test(image) for image in images[:at_once]) or len(images) > at_once


_NOTHING = ReadSet()
