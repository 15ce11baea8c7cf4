"""A generated gait, for demonstrations without a recording: plausible knee angles, the same for the same seed."""

from __future__ import annotations

import numpy as np

from motion.files import BothKnees
from motion.files.motion import Floats

# Knee flexion over one stride from heel strike to heel strike: (degrees, where in the stride, how wide), a small bend
# while the leg takes the weight and a large one while it swings.
_BENDS = ((14.0, 0.14, 0.075), (58.0, 0.73, 0.095))
_STANDING = 4.0


def walk(
    seconds: float = 10.0, *, seed: int = 0, sample_rate: float = 100.0, strides_a_minute: float = 54.0
) -> BothKnees:
    """Generate the knee angles of somebody walking.

    Args:
        seconds: How long, from the first to the last sample.
        seed: Two walks of one seed are equal.
        sample_rate: Hz.
        strides_a_minute: How often the left heel strikes, on average.

    Returns:
        A motion in degrees with flexion negative, as in OpenSim's gait models.
    """
    random = np.random.default_rng(seed)
    times = np.arange(round(seconds * sample_rate) + 1, dtype=np.float64) / sample_rate
    phases = _phases(times, 60 / strides_a_minute, random)
    left = _flexion(phases, random)
    right = _flexion(phases + 0.5, random)
    return BothKnees(-left, -right, sample_rate, name=f"generated gait {seed}")


def _phases(times: Floats, stride: float, random: np.random.Generator) -> Floats:
    """Count strides at each time: no two strides take equally long, as no walker keeps time to the millisecond."""
    count = int(times[-1] / stride * 1.5) + 3
    strikes = np.concatenate([[0.0], np.cumsum(stride * (1 + 0.02 * random.standard_normal(count).clip(-3, 3)))])
    return np.interp(times, strikes, np.arange(count + 1, dtype=np.float64))


def _flexion(phases: Floats, random: np.random.Generator) -> Floats:
    """Compute the flexion in degrees, shape ``(n,)``; each stride bends a little more or less than the one before."""
    strides = int(phases[-1]) + 3
    flexion = np.full_like(phases, _STANDING)
    for degrees, centre, width in _BENDS:
        vigour = degrees * (1 + 0.04 * random.standard_normal(strides))
        for turn in (-1, 0, 1):  # a bell near the end of one stride reaches into the next
            place = phases - np.floor(phases) - centre - turn
            stride = np.floor(phases).astype(np.int64) + turn
            flexion += vigour[stride] * np.exp(-0.5 * (place / width) ** 2)
    return flexion + 0.15 * random.standard_normal(len(phases))
