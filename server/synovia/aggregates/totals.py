"""Sums of numbers without rounding: the order of additions does not matter, and what was added can be taken away again.

Each float64 is an integer times 2 to the power of -1074 (IEEE 754-2019, 3.4), so a sum of them is an exact integer in
that unit. Only the answer is rounded, once, to the nearest float64. It is the sum that ``math.fsum`` gives, and the same
after any history of additions and removals as when it is made anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

UNIT: Final = 1074
"""The least float64 is 2 to the power of minus this."""


def scaled(value: float) -> int:
    """Give a finite number in units of the least float64."""
    if isinstance(value, int):
        return int(value) << UNIT
    numerator, denominator = value.as_integer_ratio()
    return numerator << (UNIT + 1 - denominator.bit_length())


def is_number(value: Any) -> bool:
    """Tell whether a value counts: an integer or a float64, also NaN and the infinities."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def rounded(numerator: int, denominator: int) -> float:
    """Give the nearest float64 of a quotient; beyond the largest an infinity."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


@dataclass(frozen=True, slots=True)
class Total:
    """The exact sum of some numbers.

    Attributes:
        count: How many.
        finite: The sum of those that are finite, in units of the least float64.
        nans: How many are NaN; ``rises`` and ``falls`` are infinite.
    """

    count: int = 0
    finite: int = 0
    nans: int = 0
    rises: int = 0
    falls: int = 0

    def moved(self, value: float, times: int) -> Total:
        """Add a number, or take one away (``times`` is -1)."""
        if isinstance(value, int) or math.isfinite(value):
            return Total(self.count + times, self.finite + times * scaled(value), self.nans, self.rises, self.falls)
        counted = replace(self, count=self.count + times)
        if math.isnan(value):
            return replace(counted, nans=self.nans + times)
        if value > 0:
            return replace(counted, rises=self.rises + times)
        return replace(counted, falls=self.falls + times)

    def __add__(self, other: Total) -> Total:
        return Total(
            self.count + other.count,
            self.finite + other.finite,
            self.nans + other.nans,
            self.rises + other.rises,
            self.falls + other.falls,
        )

    def __sub__(self, other: Total) -> Total:
        return self + Total(-other.count, -other.finite, -other.nans, -other.rises, -other.falls)

    @property
    def special(self) -> float | None:
        """The sum if it is NaN or infinite; None if all numbers are finite."""
        if self.nans or (self.rises and self.falls):
            return math.nan
        if self.rises or self.falls:
            return math.inf if self.rises else -math.inf
        return None

    @property
    def is_whole(self) -> bool:
        """Whether the sum is an integer."""
        return self.special is None and not self.finite & ((1 << UNIT) - 1)

    def whole(self) -> int:
        """Give a sum that is an integer."""
        return self.finite >> UNIT

    def sum(self) -> float:
        """Give the sum, rounded once."""
        return rounded(self.finite, 1 << UNIT) if self.special is None else self.special

    def mean(self) -> float | None:
        """Give the sum by the count, rounded once; None of nothing."""
        if not self.count:
            return None
        return rounded(self.finite, self.count << UNIT) if self.special is None else self.special
