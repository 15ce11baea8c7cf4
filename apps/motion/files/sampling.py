"""From a column of times to an even rate: what is even is told apart from what jumps, stands still or runs back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motion.files.motion import Floats, MotionFileError
from motion.files.numbers import Lines

GAP = 1.75
"""A step this many times the median step long means that samples are missing."""
_ROUNDING = 2e-6
"""Times printed with 8 decimals leave this much doubt about a rate, relative to it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The rate in Hz, the first time in seconds, and whether the samples lie evenly enough to need no resampling."""

    rate: float
    start: float
    even: bool


def sampling_of(times: Floats, lines: Lines, path: Path, *, allow_uneven: bool = False) -> Sampling:
    """Compute the sample rate from the times of the samples.

    Args:
        times: Shape ``(n,)``, seconds.
        lines: Shape ``(n,)``, the line of each sample, for the error messages.
        path: For the error messages too.
        allow_uneven: Accept gaps; the rate is then that of the median step.

    Raises:
        MotionFileError: Fewer than two samples, or times that are not finite, do not grow, or leave gaps.
    """
    _require_growing(times, lines, path)
    steps = np.diff(times)
    median = float(np.median(steps))
    fault = _first_uneven(times, steps, median)
    if fault is not None and not allow_uneven:
        reason = f"the time steps from {times[fault - 1]!s} to {times[fault]!s} s where {median:.6g} s is usual"
        raise MotionFileError(path, int(lines[fault]), f"{reason}; samples are missing, or the rate changes")
    rate = 1 / median if fault is not None else (len(times) - 1) / float(times[-1] - times[0])
    return Sampling(_rounded(rate), float(times[0]), even=fault is None)


def resample(series: Floats, times: Floats, sampling: Sampling) -> Floats:
    """Interpolate a series of shape ``(n,)`` linearly at the even times of ``sampling``, to its last sample at most."""
    count = int((times[-1] - times[0]) * sampling.rate + 1e-6) + 1
    return np.interp(sampling.start + np.arange(count) / sampling.rate, times, series)


def _require_growing(times: Floats, lines: Lines, path: Path) -> None:
    if not (finite := np.isfinite(times)).all():
        at = int(np.argmin(finite))
        raise MotionFileError(path, int(lines[at]), f"the time is {times[at]!s}")
    if len(times) < 2:
        raise MotionFileError(path, int(lines[-1]), "one sample alone has no sample rate; at least two are needed")
    if not (grows := np.diff(times) > 0).all():
        at = int(np.argmin(grows)) + 1
        raise MotionFileError(path, int(lines[at]), f"the time {times[at]!s} s does not come after {times[at - 1]!s} s")


def _first_uneven(times: Floats, steps: Floats, median: float) -> int | None:
    """Find the first sample after a gap, or, where the rate drifts, the one farthest from its even place."""
    gaps = steps > GAP * median
    if gaps.any():
        return int(np.argmax(gaps)) + 1
    even = np.linspace(times[0], times[-1], len(times))
    off = np.abs(times - even)
    return int(np.argmax(off)) if off.max() > median else None


def _rounded(rate: float) -> float:
    """Round to a thousandth of a hertz where the file's own rounding of times explains the difference."""
    near = round(rate, 3)
    return near if near > 0 and abs(near - rate) <= rate * _ROUNDING else rate
