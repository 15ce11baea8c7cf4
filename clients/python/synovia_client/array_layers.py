"""Which samples of a long array a plot needs for what it shows, and how they are drawn. Nothing of any toolkit is here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]

OUTLINE_POINTS = 4_096
"""Numbers of the outline of a whole array: minimum and maximum of half as many buckets."""
EVERY_BELOW = 4
"""Fewer samples a pixel than this are fetched one and all."""
FEWEST_SAMPLES = 8


class Wanted(NamedTuple):
    """What to fetch: samples ``[start, stop)``, and to how many numbers to thin them (None: every sample)."""

    start: int
    stop: int
    points: int | None


@dataclass(frozen=True)
class Layer:
    """A part of an array, ready to be drawn.

    Attributes:
        wanted: What was fetched.
        places: Where each number is, in samples, ascending; shape (n,).
        values: The numbers, float64; NaN is a gap; shape (n,).
    """

    wanted: Wanted
    places: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]

    @property
    def fineness(self) -> float:
        """Numbers per sample."""
        return len(self.values) / max(1, self.wanted.stop - self.wanted.start)

    def reaches_over(self, first: float, last: float, count: int) -> bool:
        """Tell whether it holds all there is from one place to another of an array with so many samples."""
        start, stop, _ = self.wanted
        return start <= max(0.0, first) and stop - 1 >= min(last, count - 1)


def outline_of(count: int) -> Wanted:
    """Say what to fetch first: all of a short array, the outline of a long one."""
    return Wanted(0, count, None if count <= OUTLINE_POINTS else OUTLINE_POINTS)


def wanted_for(first: float, last: float, count: int, pixels: float) -> Wanted | None:
    """Choose what to fetch for a view; None if the outline of the whole shows as much as there are pixels.

    Ranges begin and end at multiples of a power of two, and reach beyond the view on both sides: moving a little asks for
    nothing new, and moving back finds what was fetched.

    Args:
        first, last: The view, in samples; its ends may lie between two, or outside of the array.
        count: The samples of the array.
        pixels: How wide the view is.
    """
    if not (math.isfinite(first) and math.isfinite(last)) or last < 0 or first > count - 1:
        return None
    span = max(last - first, FEWEST_SAMPLES)
    per_pixel = span / max(1.0, pixels)
    if count <= OUTLINE_POINTS or count / (OUTLINE_POINTS / 2) <= per_pixel:
        return None
    block = 2 ** math.ceil(math.log2(span / 2))
    start = max(0, (math.floor(first / block) - 1) * block)
    stop = min(count, (math.ceil(last / block) + 1) * block)
    if per_pixel < EVERY_BELOW:
        return Wanted(start, stop, None)
    bucket = 2 ** math.floor(math.log2(per_pixel))
    return Wanted(start, stop, 2 * math.ceil((stop - start) / bucket))


def layer_of(wanted: Wanted, fetched: Samples) -> Layer:
    """Make a layer of what was fetched: of shape (n,) for every sample, (buckets, 2) for minima and maxima."""
    if wanted.points is None:
        places = np.arange(wanted.start, wanted.start + len(fetched), dtype=np.float64)
        return Layer(wanted, places, fetched.astype(np.float64))
    values = in_order(fetched.astype(np.float64))
    return Layer(wanted, _places(wanted, len(fetched)), values)


def _places(wanted: Wanted, buckets: int) -> npt.NDArray[np.float64]:
    """Place the two numbers of each bucket a quarter and three quarters into it; bucket i begins at i * n // buckets."""
    length = wanted.stop - wanted.start
    begins = (np.arange(buckets + 1, dtype=np.int64) * length // max(1, buckets)).astype(np.float64)
    widths = np.diff(begins)
    return wanted.start + np.column_stack((begins[:-1] + widths / 4, begins[:-1] + widths * 3 / 4)).ravel()


def in_order(pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn pairs of minimum and maximum so that a falling line falls: the maximum first where the middle sinks."""
    if len(pairs) < 2:
        return pairs.ravel()
    middles = pairs.sum(axis=1)
    falls = np.concatenate(([middles[1] < middles[0]], middles[1:] < middles[:-1]))
    return np.where(falls[:, None], pairs[:, ::-1], pairs).ravel()


def pick(layers: Sequence[Layer], first: float, last: float, count: int) -> Layer:
    """Pick the finest of the layers that reach over a view; the first of them reaches over everything."""
    enough = [layer for layer in layers if layer.reaches_over(first, last, count)]
    return max(enough, key=lambda layer: layer.fineness, default=layers[0])


def envelope(values: npt.NDArray[np.float64], start: int, bucket: int) -> Layer:
    """Thin samples that are here to the minimum and maximum of each bucket.

    Buckets begin at multiples of their width, so that nothing flickers when the samples grow or the view moves.

    Args:
        values: Shape (n,), n > 0; where a bucket holds nothing but NaN there is a gap.
        start: The place of the first one.
        bucket: Samples of a bucket.
    """
    stop = start + len(values)
    begins = np.arange(start - start % bucket, stop, bucket)
    cuts = np.maximum(begins, start) - start
    with np.errstate(invalid="ignore"):
        pairs = np.column_stack((np.fmin.reduceat(values, cuts), np.fmax.reduceat(values, cuts)))
    places = np.column_stack((begins + bucket / 4, begins + bucket * 3 / 4)).ravel()
    return Layer(Wanted(start, stop, 2 * len(begins)), places, in_order(pairs))
