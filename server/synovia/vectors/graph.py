"""A graph in which vectors near to one are found without comparing all: HNSW (Malkov and Yashunin, 2018), by ``usearch``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synovia.vectors.scores import Metric, Vector

_EXPANSION: Final = 128
"""So many candidates are kept in mind while a vector is put in or looked for: recall, for time."""


def is_available() -> bool:
    """Tell whether the library is installed: the extra ``synovia[vectors]``."""
    return find_spec("usearch") is not None


class Graph:
    """Vectors by the numbers of their places.

    Raises:
        ImportError: The library is not installed.
    """

    def __init__(self, dimensions: int, metric: Metric) -> None:
        from usearch.index import Index

        kind = "cos" if metric is Metric.COSINE else "ip"
        self._index: Any = Index(
            ndim=dimensions, metric=kind, dtype="f32", expansion_add=_EXPANSION, expansion_search=_EXPANSION
        )

    def __len__(self) -> int:
        return len(self._index)

    def put(self, places: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Put vectors in, instead of others at the same places."""
        for place in places[self._index.contains(places)] if len(self._index) else ():
            self._index.remove(int(place))
        self._index.add(places, vectors, threads=1)

    def drop(self, place: int) -> None:
        """Take the vector at a place out."""
        if self._index.contains(place):
            self._index.remove(place)

    def near(self, vector: Vector, number: int) -> NDArray[np.int64]:
        """Give the places of vectors that are near, most of the nearest among them."""
        found = self._index.search(vector, min(number, max(1, len(self._index))), threads=1)
        return np.asarray(found.keys, dtype=np.int64)
