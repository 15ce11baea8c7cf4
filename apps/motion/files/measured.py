"""What a reader of one format has found, and how it becomes a motion: one way for all formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motion.files.angles import Told, in_degrees
from motion.files.columns import ColumnNames
from motion.files.motion import Floats, Motion, MotionFileError, Remedy, Side
from motion.files.numbers import Lines
from motion.files.sampling import Sampling, Timed, resample, sampling_of, without_repeats
from motion.files.time_units import seconds_a_unit
from motion.files.words import SECONDS, AngleUnit, TimeUnit

MOST_SAMPLES = 50_000_000
FASTEST_RATE = 1e6


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller says of a file; see ``read_motion``."""

    names: ColumnNames = field(default_factory=ColumnNames)
    unit: AngleUnit | None = None
    sample_rate: float | None = None
    time_unit: TimeUnit | None = None
    allow_uneven: bool = False


@dataclass(slots=True)
class Measured:
    """Samples as they stand in a file.

    Attributes:
        knees: One or both, shape ``(n,)``, in the file's unit; NaN: missing.
        lines: Shape ``(n,)``, the line or frame of each sample.
        told: What the file says of the unit of angles.
        times: Shape ``(n,)``, in ``time_unit``; None: there are none.
        time_unit: What the file says of it.
        frames: Shape ``(n,)``, the numbers of the samples, which may have gaps; used without times.
        rate: Hz, as the file says, for a file without times.
        exact_rate: Hz, to be preferred to the times where they agree.
        span: The first and last time, in seconds, of a file without times.
        start: Seconds, the time of the first sample of a file without times.
        name: What the file calls itself.
        line: Where the names of the columns stand.
        labels: The names of the columns, to choose from.
        warnings: What the reader has noticed.
    """

    knees: dict[Side, Floats]
    lines: Lines
    told: Told
    times: Floats | None = None
    time_unit: TimeUnit | None = None
    frames: Floats | None = None
    rate: float | None = None
    exact_rate: float | None = None
    span: tuple[float, float] | None = None
    start: float = 0.0
    name: str = ""
    line: int | None = None
    labels: Sequence[str] = ()
    warnings: list[str] = field(default_factory=list)


def motion_of(measured: Measured, options: Options, path: Path) -> Motion:
    """Make a motion in degrees at an even rate.

    Raises:
        MotionFileError: These are no angles, or they have no rate.
    """
    _require_samples(measured, path)
    with np.errstate(all="ignore"):  # what overflows is refused by its rate
        knees, judged = in_degrees(measured.knees, measured.told, path)
        timed, sampling, noticed = _sampled(measured, knees, options, path)
    if not 0 < sampling.rate <= FASTEST_RATE:
        raise MotionFileError(path, measured.line, f"the times mean a rate of {sampling.rate:.6g} Hz, which cannot be")
    knees = {
        side: series if sampling.even else resample(series, timed.times, sampling, path)
        for side, series in timed.knees.items()
    }
    _require_moderate(knees, path)
    warnings = (*measured.warnings, *_one_leg(knees), *judged, *_missing(knees), *noticed, *sampling.warnings)
    rate = _stated_rate(measured, sampling)
    return Motion(knees.get("left"), knees.get("right"), rate, sampling.start, measured.name, warnings)


def _sampled(
    measured: Measured, knees: dict[Side, Floats], options: Options, path: Path
) -> tuple[Timed, Sampling, list[str]]:
    """Find the rate, and the samples without those that repeat a time; their times are in seconds."""
    if measured.times is None:
        rate, noticed = _rate_without_times(measured, options, path)
        times = _times_of_frames(measured.frames, rate)
        if times is None:
            lines = measured.lines
            start = measured.span[0] if measured.span and options.sample_rate is None else measured.start
            return Timed(knees, np.empty(0), lines), Sampling(rate, start, even=True), noticed
        timed, repeats = without_repeats(Timed(knees, times, measured.lines), path)
        sampling = sampling_of(timed.times, timed.lines, path, allow_uneven=options.allow_uneven)
        return timed, sampling, noticed + repeats
    timed, noticed = without_repeats(Timed(knees, measured.times, measured.lines), path)
    scale, guessed = _scale(timed.times, measured, options, path)
    timed = Timed(timed.knees, timed.times * scale, timed.lines)
    sampling = sampling_of(timed.times, timed.lines, path, allow_uneven=options.allow_uneven)
    return timed, sampling, noticed + guessed


def _scale(times: Floats, measured: Measured, options: Options, path: Path) -> tuple[float, list[str]]:
    if options.time_unit is not None:
        return SECONDS[options.time_unit], []
    if measured.told.is_ours:
        return 1.0, []
    return seconds_a_unit(float(np.median(np.diff(times))), measured.time_unit, path, measured.line)


def _times_of_frames(frames: Floats | None, rate: float) -> Floats | None:
    """Take the numbers of frames for times, which tells where some are missing; None if they do not count up."""
    if frames is None or len(frames) < 2 or not np.isfinite(frames).all() or not (np.diff(frames) > 0).all():
        return None
    if np.median(np.diff(frames)) != 1:
        return None
    return np.asarray((frames - frames[0]) / rate)


def _rate_without_times(measured: Measured, options: Options, path: Path) -> tuple[float, list[str]]:
    count = len(measured.lines)
    if options.sample_rate is not None:
        return options.sample_rate, []
    if measured.rate is not None:
        return measured.rate, []
    if measured.span is not None and count > 1 and measured.span[1] > measured.span[0]:
        return (count - 1) / (measured.span[1] - measured.span[0]), []
    reason = "no column is the time; name it, or give the sample rate"
    remedies: tuple[Remedy, ...] = ("sample_rate", "columns")
    raise MotionFileError(path, measured.line, reason, remedies=remedies, columns=measured.labels)


def _require_samples(measured: Measured, path: Path) -> None:
    if all(np.isnan(series).all() for series in measured.knees.values()):
        raise MotionFileError(path, measured.line, "there is no number in the columns of the knees")


def _require_moderate(knees: dict[Side, Floats], path: Path) -> None:
    if any(len(series) > MOST_SAMPLES for series in knees.values()):
        raise MotionFileError(path, None, f"the recording has more than {MOST_SAMPLES:,} samples a side")


def _one_leg(knees: dict[Side, Floats]) -> list[str]:
    if len(knees) == 2:
        return []
    there, other = ("left", "right") if "left" in knees else ("right", "left")
    return [f"only the {there} knee is in the file; there is no {other} one"]


def _missing(knees: dict[Side, Floats]) -> list[str]:
    counts = {side: int(np.isnan(series).sum()) for side, series in knees.items()}
    return [
        f"{count:,} of the {len(knees[side]):,} samples of the {side} knee {'is' if count == 1 else 'are'} missing"
        for side, count in counts.items()
        if count
    ]


def _stated_rate(measured: Measured, sampling: Sampling) -> float:
    """Prefer the rate that our own export states, to the last bit, where the times agree with it."""
    stated = measured.exact_rate
    agrees = stated is not None and abs(stated - sampling.rate) <= 1e-3 * sampling.rate
    return stated if stated is not None and agrees else sampling.rate
