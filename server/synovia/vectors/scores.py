"""How near two vectors are: a number that depends on nothing but the two of them.

Vectors count with the precision of float32. A product of two such numbers has 48 bits, so float64 holds it exactly, and
``math.fsum`` rounds their sum once: a dot product is the same to the last bit on every machine, in whatever order, alone or
among many others. A product of matrices gives none of that, so it only chooses for which vectors the score is computed.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

MOST_DIMENSIONS: Final = 4096
SHORTEST: Final = 1e-12
LONGEST: Final = 1e12
"""Between these lies the length of a vector, so that no sum of products leaves float32."""


class Metric(Enum):
    """What is near: a small angle, or a large dot product."""

    COSINE = "cosine"
    DOT = "dot"


class NotAVector(ValueError):
    """A value that is no vector of the wanted length; the message says why."""


def vector_of(value: Any, dimensions: int) -> Vector:
    """Give the vector that a list of numbers is.

    Raises:
        NotAVector: It is none.
    """
    if not isinstance(value, list | tuple):
        raise NotAVector("a vector is a list of numbers")
    if len(value) != dimensions:
        raise NotAVector(f"the vector has {len(value):,} numbers, where the index has {dimensions:,}")
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in value):
        raise NotAVector("a vector has nothing but numbers")
    with np.errstate(over="ignore"):
        try:
            vector = np.array(value, dtype=np.float32)
        except OverflowError:
            raise NotAVector("a number of the vector is too large") from None
    if not np.isfinite(vector).all():
        raise NotAVector("a number of the vector is not finite, or too large")
    if not SHORTEST <= math.sqrt(dot(vector, vector)) <= LONGEST:
        raise NotAVector(f"the length of a vector is from {SHORTEST:g} to {LONGEST:g}; one of zeros has no direction")
    return vector


def found_vector(value: Any, dimensions: int) -> Vector | None:
    """Give the vector that a stored value is; None if it is none, as another program may have written it."""
    try:
        return vector_of(value, dimensions)
    except NotAVector:
        return None


def dot(one: Vector, other: Vector) -> float:
    """Give the dot product, exact but for one rounding."""
    return math.fsum((one.astype(np.float64) * other.astype(np.float64)).tolist())


class Target:
    """A vector to which others are compared."""

    def __init__(self, vector: Vector, metric: Metric) -> None:
        self.vector = vector
        self.metric = metric
        self._square = dot(vector, vector)

    def score(self, other: Vector) -> float:
        """Tell how near another vector is; the greater, the nearer."""
        product = dot(self.vector, other)
        if self.metric is Metric.DOT:
            return product
        return max(-1.0, min(1.0, product / math.sqrt(self._square * dot(other, other))))
