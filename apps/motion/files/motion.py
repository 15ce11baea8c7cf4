"""What a motion file says about the knees: even series of angles, and the error for a file that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

OnProgress = Callable[[int, int], None]
"""Called with what is done and the total: bytes while reading, rows while writing."""

Remedy = Literal["columns", "sample_rate", "time_unit", "angle_unit", "fill_gaps"]
"""What the caller may say to have a refused file read after all: the options of ``read_motion``."""


class MotionFileError(Exception):
    """A file is damaged or is not what it should be; ``str`` gives ``path:line: reason``.

    Attributes:
        line: Counts from 1; None when no line is to blame.
        reason: What is wrong, without the place.
        remedies: The options that would help, none for a file that cannot be read.
        columns: The names of the columns, where the remedy is to choose among them.
    """

    def __init__(
        self,
        path: Path,
        line: int | None,
        reason: str,
        *,
        remedies: Sequence[Remedy] = (),
        columns: Sequence[str] = (),
    ) -> None:
        super().__init__(f"{path}: {reason}" if line is None else f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason
        self.remedies = tuple(remedies)
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The angles of both knees, or of one, at an even rate.

    Attributes:
        left_knee: Shape ``(n,)``, degrees, in the sign convention of the file it came from; None: not measured.
        right_knee: The same; at least one of the two is there.
        sample_rate: Hz.
        start: Seconds, the time of the first sample on the file's own clock.
        name: What the file calls itself, or an empty string.
        warnings: What the reader has assumed, left out or made up for, a sentence each.
    """

    left_knee: Floats | None
    right_knee: Floats | None
    sample_rate: float
    start: float = 0.0
    name: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shapes = {series.shape for series in self.knees.values()}
        if not shapes:
            raise ValueError("a motion has one knee at least")
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            shown = " and ".join(str(series.shape) for series in self.knees.values())
            raise ValueError(f"both knees need a series of one length, not shapes {shown}")
        if any(series.dtype != np.float64 for series in self.knees.values()):
            raise ValueError(f"angles are float64, not {', '.join(str(each.dtype) for each in self.knees.values())}")
        if not (isfinite(self.sample_rate) and self.sample_rate > 0):
            raise ValueError(f"a sample rate is a positive number of Hz, not {self.sample_rate}")

    @property
    def knees(self) -> dict[Side, Floats]:
        """The knees that were measured, the left one first."""
        both = {"left": self.left_knee, "right": self.right_knee}
        return {side: series for side in SIDES if (series := both[side]) is not None}

    def both(self) -> BothKnees:
        """Give a motion that is known to have both knees.

        Raises:
            ValueError: One of them was not measured.
        """
        if self.left_knee is None or self.right_knee is None:
            raise ValueError("one of the knees was not measured")
        return BothKnees(self.left_knee, self.right_knee, self.sample_rate, self.start, self.name, self.warnings)

    @property
    def sample_count(self) -> int:
        """How many samples each knee has."""
        return len(next(iter(self.knees.values())))

    @property
    def duration_ms(self) -> float:
        """The time from the first to the last sample, in milliseconds."""
        return max(self.sample_count - 1, 0) / self.sample_rate * 1000

    def times(self) -> Floats:
        """Compute the time of each sample, in seconds, shape ``(n,)``."""
        return times_of(0, self.sample_count, self.sample_rate, self.start)


@dataclass(frozen=True, slots=True, eq=False)
class BothKnees(Motion):
    """A motion in which both knees were measured."""

    left_knee: Floats
    right_knee: Floats


def times_of(first: int, stop: int, sample_rate: float, start: float = 0.0) -> Floats:
    """Compute the times of samples ``[first, stop)`` of a series at ``sample_rate`` Hz that begins at ``start`` seconds."""
    return start + np.arange(first, stop, dtype=np.float64) / sample_rate
