"""How long one unit of a file's times is: by its name where that fits, else by its size."""

from __future__ import annotations

from pathlib import Path

from motion.files.motion import MotionFileError
from motion.files.words import SECONDS, TimeUnit

SLOWEST, FASTEST = 0.5, 20_200.0
"""Hz: what recordings of joints have; outside of it, the unit is another one."""
_SLOWEST_GUESS, _SLOW = 2.0, 5.0
_GUESSES: tuple[TimeUnit, ...] = ("ms", "us", "ns", "days")
_NAMES: dict[TimeUnit, str] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "min": "minutes",
    "days": "days",
}


def seconds_a_unit(step: float, told: TimeUnit | None, path: Path, line: int | None) -> tuple[float, list[str]]:
    """Tell how many seconds a unit of time is, with what to warn of.

    Args:
        step: The usual step from one sample to the next, in the file's unit; above 0.
        told: The unit that the file names, if it does.
        path: For the error, as ``line`` is.
        line: Where the names of the columns stand.

    Raises:
        MotionFileError: No unit makes a rate that joints are recorded at.
    """
    rate = 1 / step / SECONDS[told or "s"]
    if SLOWEST <= rate <= FASTEST:
        slow = told is None and rate < _SLOW
        return SECONDS[told or "s"], [_slow_warning(rate)] if slow else []
    if told is None:
        for unit in _GUESSES:
            if _SLOWEST_GUESS <= (guess := 1 / step / SECONDS[unit]) <= FASTEST:
                return SECONDS[unit], [_guess_warning(step, unit, guess)]
    as_said = f"in {_NAMES[told]}, as the file says," if told else "in seconds"
    reason = f"the times step by {step:.6g}, which {as_said} would be {rate:.6g} Hz; say the unit of the times"
    raise MotionFileError(path, line, reason, remedies=("time_unit",))


def _slow_warning(rate: float) -> str:
    return (
        f"nothing tells the unit of the times; in seconds they mean {rate:.4g} Hz, which is slow: if not, say the unit"
    )


def _guess_warning(step: float, unit: TimeUnit, rate: float) -> str:
    return f"nothing tells the unit of the times, which step by {step:.6g}: they are taken as {_NAMES[unit]} ({rate:.6g} Hz)"
