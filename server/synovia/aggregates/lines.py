"""The straight line that fits points best, by least squares, from sums without rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from synovia.aggregates.totals import UNIT, scaled
from synovia.schema import Model

_ONE: Final = 1 << UNIT
_SQUARE: Final = 1 << 2 * UNIT


class Trend(Model):
    """The line that has the least sum of squares of distances in y.

    Attributes:
        count: How many points there are.
        slope: The change of y for one more of x; None with fewer than two different x.
        mean_x: Of the points; the line goes through both means. None: there is no point.
        mean_y: Likewise.
        r_squared: The part of y's variance that the line explains, 0 to 1; None if y or x do not vary.
    """

    count: int
    slope: float | None = None
    mean_x: float | None = None
    mean_y: float | None = None
    r_squared: float | None = None

    def at(self, x: float) -> float | None:
        """Give the line's y at x; None if there is no line."""
        if self.slope is None or self.mean_x is None or self.mean_y is None:
            return None
        return self.mean_y + self.slope * (x - self.mean_x)


@dataclass(frozen=True, slots=True)
class Line:
    """Exact sums over points.

    Attributes:
        count: How many points.
        odd: How many of them have NaN or an infinity; with one of these nothing but NaN can be said.
        x: The sum of x in units of the least float64; ``y`` likewise.
        xx: The sum of squares of x in squares of that unit; ``xy`` and ``yy`` likewise.
    """

    count: int = 0
    odd: int = 0
    x: int = 0
    y: int = 0
    xx: int = 0
    xy: int = 0
    yy: int = 0

    def moved(self, x: float, y: float, times: int) -> Line:
        """Add a point, or take one away (``times`` is -1)."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return Line(self.count + times, self.odd + times, self.x, self.y, self.xx, self.xy, self.yy)
        a, b = scaled(x), scaled(y)
        return Line(
            self.count + times,
            self.odd,
            self.x + times * a,
            self.y + times * b,
            self.xx + times * a * a,
            self.xy + times * a * b,
            self.yy + times * b * b,
        )

    def trend(self) -> Trend:
        """Give the line, each of its numbers rounded once."""
        if not self.count:
            return Trend(count=0)
        if self.odd:
            return Trend(count=self.count, slope=math.nan, mean_x=math.nan, mean_y=math.nan, r_squared=math.nan)
        n = self.count
        spread, shared, rise = (
            n * self.xx - self.x * self.x,
            n * self.xy - self.x * self.y,
            n * self.yy - self.y * self.y,
        )
        return Trend(
            count=n,
            slope=_quotient(shared, spread) if spread else None,
            mean_x=_quotient(self.x, n * _ONE),
            mean_y=_quotient(self.y, n * _ONE),
            r_squared=_quotient(shared * shared, spread * rise) if spread and rise else None,
        )


def _quotient(numerator: int, denominator: int) -> float:
    quotient = Fraction(numerator, denominator)
    try:
        return float(quotient)
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
