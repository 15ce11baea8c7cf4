"""Cycles in a graph of transactions, named as Adya names them.

Edges: ``ww`` (wrote the version after the other's), ``wr`` (read what the other wrote), ``rw`` (read the version that the
other replaced: an anti-dependency). A cycle of ww alone is G0, of ww and wr G1c, and with any rw G2.

Adya, "Weak Consistency", MIT 1999; Kingsbury and Alvaro, "Elle: inferring isolation anomalies", VLDB 14 (2020).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

Edges = dict[str, dict[str, str]]
"""For each transaction those that come after it, and by which kind of edge."""

LEVELS = (("G0", ("ww",)), ("G1c", ("ww", "wr")), ("G2", ("ww", "wr", "rw")))


@dataclass(slots=True)
class Graph:
    """Transactions and which comes before which; of several edges between two, the strongest kind counts."""

    edges: Edges = field(default_factory=dict)

    def add(self, before: str, after: str, kind: str) -> None:
        """Add an edge; one from a transaction to itself says nothing."""
        if before == after:
            return
        known = self.edges.setdefault(before, {})
        order = ("ww", "wr", "rw")
        if after not in known or order.index(kind) < order.index(known[after]):
            known[after] = kind
        self.edges.setdefault(after, {})

    def cycles(self) -> Iterator[tuple[str, list[str]]]:
        """Give one shortest cycle for each knot of transactions, with its name; a knot is named by its worst cycle."""
        found: set[str] = set()
        for name, kinds in LEVELS:
            for knot in self._knots(kinds):
                if found.isdisjoint(knot):
                    found |= knot
                    yield name, self._shortest(knot, kinds)

    def _after(self, node: str, kinds: Collection[str]) -> Iterable[str]:
        return (other for other, kind in self.edges[node].items() if kind in kinds)

    def _knots(self, kinds: Collection[str]) -> Iterator[set[str]]:
        """Give the strongly connected components of more than one node (Tarjan's algorithm, without recursion)."""
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        waiting: set[str] = set()
        for root in self.edges:
            if root in index:
                continue
            path = [(root, iter(self._after(root, kinds)))]
            index[root] = low[root] = len(index)
            stack.append(root)
            waiting.add(root)
            while path:
                node, following = path[-1]
                other = next(following, None)
                if other is None:
                    path.pop()
                    if path:
                        low[path[-1][0]] = min(low[path[-1][0]], low[node])
                    if low[node] == index[node]:
                        knot = _pop_until(stack, node)
                        waiting -= knot
                        if len(knot) > 1:
                            yield knot
                elif other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    waiting.add(other)
                    path.append((other, iter(self._after(other, kinds))))
                elif other in waiting:
                    low[node] = min(low[node], index[other])

    def _shortest(self, knot: set[str], kinds: Collection[str]) -> list[str]:
        """Give a shortest cycle through some node of a knot, as text: node, edge, node, edge, ..."""
        start = min(knot)
        came_from: dict[str, str] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for other in self._after(node, kinds):
                if other == start:
                    return self._told(start, node, came_from)
                if other in knot and other not in came_from:
                    came_from[other] = node
                    queue.append(other)
        raise AssertionError("a knot has a cycle through each of its nodes")

    def _told(self, start: str, last: str, came_from: dict[str, str]) -> list[str]:
        way = [start, last] if last != start else [start]
        while way[-1] != start:
            way.append(came_from[way[-1]])
        way.reverse()  # start ... last
        if way[-1] != start:
            way.append(start)
        told = [way[0]]
        for before, after in pairwise(way):
            told += [self.edges[before][after], after]
        return told


def _pop_until(stack: list[str], node: str) -> set[str]:
    knot: set[str] = set()
    while node not in knot:
        knot.add(stack.pop())
    return knot
