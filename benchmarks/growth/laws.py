"""How a cost may grow with a size, and how it is seen to grow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from benchmarks.results import Aim, Row


class Law(Enum):
    """What a cost may do as a size grows: its name, and the steepest slope on two logarithmic scales.

    A slope of 0.15 is a factor of 1.4 for ten times the size: left for caches that hold a smaller part, and for noise.
    Of log n the slope is 0.1 between a thousand and a million.
    """

    FLAT = "flat", 0.15
    LOG = "log n", 0.25
    LINEAR = "linear", 1.15

    def __init__(self, title: str, steepest: float) -> None:
        self.title = title
        self.steepest = steepest


@dataclass(frozen=True, slots=True)
class Point:
    """What one operation costs at one size."""

    size: int
    cost: float


@dataclass(frozen=True, slots=True)
class Series:
    """The cost of one operation at several sizes.

    Attributes:
        name: The operation.
        store: Where.
        law: How it may grow.
        unit: Of the costs.
        points: By size, at least two.
    """

    name: str
    store: str
    law: Law
    unit: str
    points: tuple[Point, ...]

    @property
    def slope(self) -> float:
        """Fit a line to the logarithms of the upper half of the sizes, at least three: what is constant weighs least."""
        return slope(self.points[-max(3, math.ceil(len(self.points) / 2)) :])

    @property
    def holds(self) -> bool:
        return self.slope <= self.law.steepest

    def row(self) -> Row:
        """Give the costs at both ends, and as the ratio the slope."""
        first, last = self.points[0], self.points[-1]
        name = f"{self.name}, {self.store}, {last.size:,}: slope, {self.law.title}"
        return Row(name, last.cost, self.unit, f"at {first.size:,}", first.cost, self.slope, Aim(self.law.steepest))


@dataclass(frozen=True, slots=True)
class Group:
    """Series over one kind of size, which are shown in one picture.

    Attributes:
        name: A word, also the picture's.
        size: What is counted.
        series: At least one.
    """

    name: str
    size: str
    series: tuple[Series, ...]


def slope(points: Sequence[Point]) -> float:
    """Fit the exponent k of ``cost = a * size ** k`` by least squares of the logarithms."""
    sizes = [math.log(point.size) for point in points]
    costs = [math.log(point.cost) for point in points]
    middle, level = math.fsum(sizes) / len(sizes), math.fsum(costs) / len(costs)
    spread = math.fsum((size - middle) ** 2 for size in sizes)
    return math.fsum((size - middle) * (cost - level) for size, cost in zip(sizes, costs, strict=True)) / spread
