"""A map from byte intervals to values that answers: which of them contain this key?

A treap (Aragon and Seidel, "Randomized search trees", 1989) ordered by interval and augmented with the highest end in each
subtree. Adding, removing and each found interval cost O(log n) expected, so the cost of a look-up depends on what it finds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from random import Random
from typing import Generic, TypeVar

from synovia.keys.ranges import Interval

V = TypeVar("V", bound=Hashable)


class _Node(Generic[V]):
    __slots__ = ("high", "left", "low", "priority", "right", "top", "values")

    def __init__(self, low: bytes, high: bytes, priority: float) -> None:
        self.low = low
        self.high = high
        self.top = high
        self.priority = priority
        self.values: set[V] = set()
        self.left: _Node[V] | None = None
        self.right: _Node[V] | None = None

    def refresh(self) -> _Node[V]:
        top = self.high
        if self.left is not None and self.left.top > top:
            top = self.left.top
        if self.right is not None and self.right.top > top:
            top = self.right.top
        self.top = top
        return self


class IntervalMap(Generic[V]):
    """Values under half-open intervals of keys; several values may share an interval."""

    def __init__(self) -> None:
        self._root: _Node[V] | None = None
        self._nodes: dict[tuple[bytes, bytes], _Node[V]] = {}
        self._random = Random(0x5EED)

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, interval: Interval, value: V) -> None:
        """Put a value under an interval."""
        place = (interval.low, interval.high)
        node = self._nodes.get(place)
        if node is None:
            node = self._nodes[place] = _Node(interval.low, interval.high, self._random.random())
            self._root = _insert(self._root, node)
        node.values.add(value)

    def remove(self, interval: Interval, value: V) -> None:
        """Take a value from under an interval; both must be there."""
        place = (interval.low, interval.high)
        node = self._nodes[place]
        node.values.remove(value)
        if not node.values:
            del self._nodes[place]
            self._root = _remove(self._root, node)

    def items(self) -> Iterator[tuple[Interval, set[V]]]:
        """Give every interval with its values."""
        for (low, high), node in self._nodes.items():
            yield Interval(low, high), node.values

    def containing(self, key: bytes) -> Iterator[V]:
        """Give the values of all intervals that contain ``key``."""
        stack = [self._root]
        while stack:
            node = stack.pop()
            if node is None or node.top <= key:
                continue
            stack.append(node.left)
            if node.low <= key:
                if key < node.high:
                    yield from node.values
                stack.append(node.right)


def _insert(tree: _Node[V] | None, node: _Node[V]) -> _Node[V]:
    if tree is None:
        return node
    if node.priority > tree.priority:
        node.left, node.right = _split(tree, (node.low, node.high))
        return node.refresh()
    if (node.low, node.high) < (tree.low, tree.high):
        tree.left = _insert(tree.left, node)
    else:
        tree.right = _insert(tree.right, node)
    return tree.refresh()


def _split(tree: _Node[V] | None, place: tuple[bytes, bytes]) -> tuple[_Node[V] | None, _Node[V] | None]:
    if tree is None:
        return None, None
    if (tree.low, tree.high) < place:
        tree.right, above = _split(tree.right, place)
        return tree.refresh(), above
    below, tree.left = _split(tree.left, place)
    return below, tree.refresh()


def _merge(below: _Node[V] | None, above: _Node[V] | None) -> _Node[V] | None:
    if below is None or above is None:
        return below or above
    if below.priority > above.priority:
        below.right = _merge(below.right, above)
        return below.refresh()
    above.left = _merge(below, above.left)
    return above.refresh()


def _remove(tree: _Node[V] | None, node: _Node[V]) -> _Node[V] | None:
    if tree is None:
        raise KeyError((node.low, node.high))
    if tree is node:
        return _merge(node.left, node.right)
    if (node.low, node.high) < (tree.low, tree.high):
        tree.left = _remove(tree.left, node)
    else:
        tree.right = _remove(tree.right, node)
    return tree.refresh()
