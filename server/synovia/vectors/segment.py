"""The vectors of documents in one matrix, and which of them may be the nearest to one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synovia.turns import Turns
from synovia.vectors.graph import Graph
from synovia.vectors.scores import Metric, Target, Vector, dot

logger = logging.getLogger("synovia")

_FEWEST: Final = 8
_ROWS_AT_ONCE: Final = 4_096
_PUT_AT_ONCE: Final = 512
_ROUNDING: Final = float(np.finfo(np.float32).eps)


class Segment:
    """The vectors of the documents that have one key of an index.

    Places of documents that have gone are given to others, so nothing is moved.
    """

    def __init__(self, dimensions: int) -> None:
        self._rows: NDArray[np.float32] = np.zeros((_FEWEST, dimensions), dtype=np.float32)
        self._lengths: NDArray[np.float64] = np.zeros(_FEWEST)  # 0: nothing is there
        self._ids: list[tuple[bytes, Any] | None] = [None] * _FEWEST
        self._places: dict[bytes, int] = {}
        self._free = [*range(_FEWEST)][::-1]
        self._graphs: dict[Metric, Graph] = {}
        self._stale: dict[Metric, set[int]] = {}  # places that a graph has otherwise, also of one that is being made
        self.members: set[bytes] = set()
        """All documents with that key, also those without a vector."""

    def __len__(self) -> int:
        return len(self._places)

    def put(self, id_key: bytes, id_: Any, vector: Vector) -> None:
        """Take in a vector, instead of the one that the document had."""
        place = self._places.get(id_key)
        if place is None:
            if not self._free:
                self._grow()
            place = self._places[id_key] = self._free.pop()
            self._ids[place] = (id_key, id_)
        self._rows[place] = vector
        self._lengths[place] = np.sqrt(dot(vector, vector))
        self._note(place)

    def drop(self, id_key: bytes) -> None:
        """Forget a document's vector."""
        place = self._places.pop(id_key, None)
        if place is not None:
            self._lengths[place], self._ids[place] = 0.0, None
            self._free.append(place)
            self._note(place)

    def _grow(self) -> None:
        old = len(self._ids)
        self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._lengths = np.concatenate([self._lengths, np.zeros(old)])
        self._ids += [None] * old
        self._free += [*range(old, 2 * old)][::-1]

    # --- those that may be nearest

    async def candidates(
        self, target: Target, number: int, turns: Turns
    ) -> tuple[list[tuple[bytes, Any, Vector]], bool]:
        """Give the nearest documents, so many and those that may be as near, in no order; and whether these are all."""
        scores, faults = await self._estimated(target, turns)
        is_all = int(np.isfinite(scores).sum()) <= number
        if not is_all:
            least = np.partition(scores - faults, len(scores) - number)[len(scores) - number]
            places = np.flatnonzero(scores + faults >= least)
        else:
            places = np.arange(len(scores))
        return [*self._at(places)], is_all

    async def ranked(self, target: Target, turns: Turns) -> Iterator[list[tuple[bytes, Any, Vector]]]:
        """Give all documents, some at a time, about in the order of their scores."""
        scores, _ = await self._estimated(target, turns)
        order = np.argsort(-scores, kind="stable")
        return ([*self._at(order[start : start + 256])] for start in range(0, len(order), 256))

    async def _estimated(self, target: Target, turns: Turns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give for each place about what its score is, and by how much that may be wrong at most."""
        length = np.sqrt(dot(target.vector, target.vector))
        unit, rows, parts = (target.vector.astype(np.float64) / length).astype(np.float32), self._rows, []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            parts.append(np.einsum("ij,j->i", rows[start : start + _ROWS_AT_ONCE], unit))  # BLAS would wait for threads
            await turns.step()
        lengths = self._lengths[: len(rows)]
        there = lengths > 0
        products = np.where(there, np.concatenate(parts), -np.inf).astype(np.float64)
        relative = 2.0 * (len(unit) + 4) * _ROUNDING
        if target.metric is Metric.DOT:
            return products * length, np.where(there, lengths * (length * relative), 0.0)
        shares = np.divide(products, lengths, out=np.full(len(lengths), -np.inf), where=there)
        return shares, np.where(there, relative, 0.0)

    def _at(self, places: NDArray[np.int64]) -> Iterator[tuple[bytes, Any, Vector]]:
        for place in places.tolist():
            known = self._ids[place] if place < len(self._ids) else None
            if known is not None:
                yield (*known, self._rows[place].copy())

    # --- the graph

    def has_graph(self, metric: Metric) -> bool:
        """Tell whether a graph is there, or is being made."""
        return metric in self._stale

    def _note(self, place: int) -> None:
        for stale in self._stale.values():
            stale.add(place)

    def near(self, target: Target, number: int) -> list[tuple[bytes, Any, Vector]] | None:
        """Give documents that are near by a graph; None: there is none that knows all."""
        graph, stale = self._graphs.get(target.metric), self._stale.get(target.metric)
        if graph is None or stale is None or len(stale) > _PUT_AT_ONCE:
            return None
        for place in stale:
            self._correct(graph, place)
        stale.clear()
        return [*self._at(graph.near(target.vector, number))]

    def _correct(self, graph: Graph, place: int) -> None:
        if self._ids[place] is None:
            graph.drop(place)
        else:
            graph.put(np.array([place]), self._rows[place : place + 1])

    async def build(self, metric: Metric) -> None:
        """Make a graph, on a thread, some vectors at a time; what changes meanwhile is put in behind that."""
        graph, stale = Graph(self._rows.shape[1], metric), set[int]()
        self._stale[metric] = stale
        todo = np.flatnonzero(self._lengths > 0)
        while True:
            for start in range(0, len(todo), _PUT_AT_ONCE):
                some = todo[start : start + _PUT_AT_ONCE]
                there = some[self._lengths[some] > 0]
                await asyncio.to_thread(graph.put, there, self._rows[there].copy())
            again = [*stale]
            stale.clear()
            for place in again:
                if self._ids[place] is None:
                    graph.drop(place)
            todo = np.array([place for place in again if self._ids[place] is not None], dtype=np.int64)
            if len(todo) < _PUT_AT_ONCE:
                break
        stale.update(todo.tolist())
        self._graphs[metric] = graph
        logger.info("%d vectors of %d dimensions are in a graph", len(graph), self._rows.shape[1])
