"""What a motion file says about the knees: two even series of angles, and the error for a file that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OnProgress = Callable[[int, int], None]
"""Called with what is done and the total: bytes while reading, rows while writing."""


class MotionFileError(Exception):
    """A file is damaged or is not what it should be; ``str`` gives ``path:line: reason``.

    ``line`` counts from 1 and is None when no line is to blame.
    """

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if line is None else f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The angles of both knees at an even rate.

    Attributes:
        left_knee: Shape ``(n,)``, degrees, in the sign convention of the file it came from.
        right_knee: The same.
        sample_rate: Hz.
        start: Seconds, the time of the first sample on the file's own clock.
        name: What the file calls itself, or an empty string.
    """

    left_knee: Floats
    right_knee: Floats
    sample_rate: float
    start: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        left, right = self.left_knee, self.right_knee
        if left.ndim != 1 or left.shape != right.shape:
            raise ValueError(f"both knees need a series of one length, not shapes {left.shape} and {right.shape}")
        if left.dtype != np.float64 or right.dtype != np.float64:
            raise ValueError(f"angles are float64, not {left.dtype} and {right.dtype}")
        if not (isfinite(self.sample_rate) and self.sample_rate > 0):
            raise ValueError(f"a sample rate is a positive number of Hz, not {self.sample_rate}")

    @property
    def sample_count(self) -> int:
        return int(self.left_knee.shape[0])

    @property
    def duration_ms(self) -> float:
        """The time from the first to the last sample, in milliseconds."""
        return max(self.sample_count - 1, 0) / self.sample_rate * 1000

    def times(self) -> Floats:
        """Compute the time of each sample, in seconds, shape ``(n,)``."""
        return times_of(0, self.sample_count, self.sample_rate, self.start)


def times_of(first: int, stop: int, sample_rate: float, start: float = 0.0) -> Floats:
    """Compute the times of samples ``[first, stop)`` of a series at ``sample_rate`` Hz that begins at ``start`` seconds."""
    return start + np.arange(first, stop, dtype=np.float64) / sample_rate
