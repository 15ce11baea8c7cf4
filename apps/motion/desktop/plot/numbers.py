"""Range of motion: what a physiotherapist reads off a recording, in degrees with flexion positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NOTABLE = 0.9
"""Below this limb symmetry index the difference between the knees is worth a look."""


@dataclass(frozen=True)
class Extremes:
    """The least and the largest of some samples, as they are stored."""

    least: float
    largest: float

    def joined(self, other: Extremes | None) -> Extremes:
        """Give the extremes of both."""
        if other is None:
            return self
        return Extremes(min(self.least, other.least), max(self.largest, other.largest))


@dataclass(frozen=True)
class KneeNumbers:
    """What is read off one knee: the largest flexion, the furthest extension, and the range between the two."""

    flexion: float
    extension: float

    @property
    def range(self) -> float:
        """The range of motion."""
        return self.flexion - self.extension


def extremes_of(samples: Floats) -> Extremes | None:
    """Find the extremes; samples that are no number count for nothing. None: there is none."""
    known = samples[~np.isnan(samples)]
    return Extremes(float(known.min()), float(known.max())) if known.size else None


def flexion_sign(*knees: Extremes | None) -> int:
    """Tell which sign flexion has: a knee bends by far more than it overstretches, so the longer side is flexion."""
    least = min([0.0, *(knee.least for knee in knees if knee is not None)])
    largest = max([0.0, *(knee.largest for knee in knees if knee is not None)])
    return -1 if -least > largest else 1


def knee_numbers(extremes: Extremes, sign: int) -> KneeNumbers:
    """Read the numbers of a knee off its extremes."""
    if sign > 0:
        return KneeNumbers(extremes.largest, extremes.least)
    return KneeNumbers(-extremes.least, -extremes.largest)


def symmetry(left: KneeNumbers, right: KneeNumbers) -> float | None:
    """Give what part of the better knee's range the other one reaches; None: neither moves."""
    better = max(left.range, right.range)
    return min(left.range, right.range) / better if better > 0 else None


def bounds_of(*knees: Extremes | None) -> tuple[float, float]:
    """Give the angles to show, flexion positive: all there are with some air, and never less than a small movement's."""
    sign = flexion_sign(*knees)
    values = [value * sign for knee in knees if knee is not None for value in (knee.least, knee.largest)]
    low, high = min([0.0, *values]), max([20.0, *values])
    air = (high - low) * 0.06
    return low - air, high + air
