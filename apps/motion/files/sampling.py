"""From a column of times to an even rate: what is even is told apart from what jumps, stands still or runs back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motion.files.motion import Floats, MotionFileError, Side
from motion.files.numbers import Lines

GAP = 1.75
"""A step this many times the median step long means that samples are missing."""
_LONGEST_STEP = 0.1
"""Seconds: over longer steps nothing is interpolated unasked, however uneven the times are."""
_MOST_MADE_UP = 20
_ROUNDING = 2e-6
"""Times printed with 8 decimals leave this much doubt about a rate, relative to it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The rate in Hz, the first time in seconds, and whether the samples lie evenly enough to need no resampling."""

    rate: float
    start: float
    even: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Samples with their times: series of shape ``(n,)``, times in the file's unit, and the line of each."""

    knees: Mapping[Side, Floats]
    times: Floats
    lines: Lines

    def only(self, kept: NDArray[np.bool_]) -> Timed:
        """Give the samples that are kept."""
        knees = {side: series[kept] for side, series in self.knees.items()}
        return Timed(knees, self.times[kept], self.lines[kept])


def without_repeats(timed: Timed, path: Path) -> tuple[Timed, list[str]]:
    """Leave out samples at the time of the one before: at the end, and where they are the same sample again.

    Raises:
        MotionFileError: A time is not finite, stands still or runs back, or there are fewer than two.
    """
    _require_finite(timed, path)
    repeats = np.concatenate([[False], np.diff(timed.times) == 0])
    if not repeats.any() or len(repeats) < 3:
        _require_growing(timed, path)
        return timed, []
    harmless = _at_end(repeats) | (repeats & _like_before(timed))
    kept = timed.only(~harmless)
    _require_growing(kept, path)
    return kept, [_repeat_warning(timed, harmless)]


def _at_end(repeats: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the repeats that nothing follows."""
    marks = np.logical_and.accumulate(repeats[::-1])[::-1]
    return np.asarray(marks)


def _like_before(timed: Timed) -> NDArray[np.bool_]:
    """Mark the samples whose knees are as in the sample before."""
    like = np.ones(len(timed.times), dtype=np.bool_)
    like[0] = False
    for series in timed.knees.values():
        like[1:] &= (series[1:] == series[:-1]) | (np.isnan(series[1:]) & np.isnan(series[:-1]))
    return like


def _repeat_warning(timed: Timed, dropped: NDArray[np.bool_]) -> str:
    count, first = int(dropped.sum()), int(timed.lines[int(np.argmax(dropped))])
    if count == 1:
        return f"line {first} repeats the time of the sample before; it is left out"
    return f"{count:,} samples, the first in line {first}, repeat the time of the one before; they are left out"


def _require_finite(timed: Timed, path: Path) -> None:
    if not (finite := np.isfinite(timed.times)).all():
        at = int(np.argmin(finite))
        raise MotionFileError(path, int(timed.lines[at]), f"the time is {timed.times[at]!s}")


def _require_growing(timed: Timed, path: Path) -> None:
    times, lines = timed.times, timed.lines
    if len(times) < 2:
        raise MotionFileError(path, int(lines[-1]), "one sample alone has no sample rate; at least two are needed")
    if not (grows := np.diff(times) > 0).all():
        at = int(np.argmin(grows)) + 1
        raise MotionFileError(path, int(lines[at]), f"the time {times[at]!s} s does not come after {times[at - 1]!s} s")


def sampling_of(times: Floats, lines: Lines, path: Path, *, allow_uneven: bool = False) -> Sampling:
    """Compute the sample rate from the times of the samples.

    Args:
        times: Shape ``(n,)``, seconds, growing.
        lines: Shape ``(n,)``, the line of each sample, for the error messages.
        path: For the error messages too.
        allow_uneven: Accept gaps; the rate is then that of the median step.

    Raises:
        MotionFileError: The times leave gaps, or their rate changes.
    """
    steps = np.diff(times)
    median = float(np.median(steps))
    fault = _first_uneven(times, steps, median)
    if fault is None:
        return Sampling(_rounded((len(times) - 1) / float(times[-1] - times[0])), float(times[0]), even=True)
    if allow_uneven:
        rate = _rounded(1 / median)
        missing = _count(times, rate, path) - len(times)
        return Sampling(rate, float(times[0]), even=False, warnings=(_filled(missing, rate),))
    if _is_harmless(steps, median):
        return _resampling(times, steps, median)
    reason = f"the time steps from {times[fault - 1]!s} to {times[fault]!s} s where {median:.6g} s is usual"
    reason = f"{reason}; samples are missing, or the rate changes"
    raise MotionFileError(path, int(lines[fault]), reason, remedies=("fill_gaps",))


def _count(times: Floats, rate: float, path: Path) -> int:
    """Count the samples at an even rate; what is made up must be a small part, or the times are nonsense."""
    count = float((times[-1] - times[0]) * rate + 1e-6)
    if not count < _MOST_MADE_UP * len(times) + 1000:
        raise MotionFileError(
            path, None, f"the times reach from {times[0]!s} to {times[-1]!s}, with few samples between"
        )
    return int(count) + 1


def resample(series: Floats, times: Floats, sampling: Sampling, path: Path) -> Floats:
    """Interpolate a series of shape ``(n,)`` linearly at the even times of ``sampling``, to its last sample at most.

    Raises:
        MotionFileError: There are far fewer samples than there would be.
    """
    count = _count(times, sampling.rate, path)
    return np.interp(sampling.start + np.arange(count) / sampling.rate, times, series)


def _first_uneven(times: Floats, steps: Floats, median: float) -> int | None:
    """Find the first sample after a gap, or, where the rate drifts, the one farthest from its even place."""
    gaps = steps > GAP * median
    if gaps.any():
        return int(np.argmax(gaps)) + 1
    even = np.linspace(times[0], times[-1], len(times))
    off = np.abs(times - even)
    return int(np.argmax(off)) if off.max() > median else None


def _is_harmless(steps: Floats, median: float) -> bool:
    """Tell whether uneven times miss nothing: those of a simulation, whose steps always change, or some extra samples."""
    multiples = np.maximum(np.round(steps / median), 1)
    has_clock = bool(np.mean(np.abs(steps / median - multiples) <= 0.1) >= 0.8)
    changes = bool(np.mean(np.abs(np.diff(steps)) > 0.1 * median) >= 0.1)
    if steps.max() > GAP * median:
        return not has_clock and changes and steps.max() <= _LONGEST_STEP
    return (not has_clock and changes) or bool((steps < 0.5 * median).any())


def _resampling(times: Floats, steps: Floats, median: float) -> Sampling:
    usual = bool(np.mean(np.abs(steps - median) <= 0.02 * median) >= 0.5)
    rate = _rounded(1 / median) if usual else float(np.ceil((len(times) - 1) / float(times[-1] - times[0])))
    text = f"the times are uneven, with steps of {steps.min():.3g} to {steps.max():.3g} s"
    return Sampling(
        rate, float(times[0]), even=False, warnings=(f"{text}: the samples are interpolated at {rate:g} Hz",)
    )


def _filled(missing: int, rate: float) -> str:
    what = f"{missing:,} missing samples are" if missing > 0 else "the samples are"
    return f"{what} interpolated, at {rate:g} Hz"


def _rounded(rate: float) -> float:
    """Round to a thousandth of a hertz where the file's own rounding of times explains the difference."""
    near = round(rate, 3)
    return near if near > 0 and abs(near - rate) <= rate * _ROUNDING else rate
