"""A sensor that is only simulated: somebody walks, at the pace of the clock."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from motion.gait import walk

Floats = NDArray[np.float64]
SECONDS = 600.0
"""So much is generated; then the walk begins anew."""


class SimulatedSensor:
    """Generates a gait."""

    title = "Simulated sensor"
    about = "100 Hz a side, a generated gait. For demonstrations: nobody is measured."
    is_real = False
    sample_rate = 100.0

    def __init__(self) -> None:
        motion = walk(SECONDS, seed=round(time.time()) % 1_000, sample_rate=self.sample_rate)
        self._left, self._right = motion.left_knee, motion.right_knee * 0.94
        self._began = 0.0
        self._given = 0

    def start(self) -> None:
        """Begin to walk."""
        self._began, self._given = time.monotonic(), 0

    def take(self) -> tuple[Floats, Floats]:
        """Give what was walked since."""
        due = int((time.monotonic() - self._began) * self.sample_rate)
        places = np.arange(self._given, due) % len(self._left)
        self._given = due
        return self._left[places], self._right[places]

    def stop(self) -> None:
        """Stand still."""
