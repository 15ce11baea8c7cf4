"""The generated gait: plausible, even, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from motion.gait import walk


def test_same_seed_same_walk() -> None:
    assert np.array_equal(walk(5, seed=3).left_knee, walk(5, seed=3).left_knee)
    assert not np.array_equal(walk(5, seed=3).left_knee, walk(5, seed=4).left_knee)


@pytest.mark.parametrize(("seconds", "rate"), [(0.5, 100.0), (10.0, 100.0), (30.0, 60.0)])
def test_length_and_rate(seconds: float, rate: float) -> None:
    motion = walk(seconds, sample_rate=rate)
    assert motion.sample_count == round(seconds * rate) + 1
    assert motion.duration_ms == pytest.approx(seconds * 1000)


@pytest.mark.parametrize("seed", range(5))
def test_knees_bend_as_knees_do(seed: int) -> None:
    motion = walk(20, seed=seed)
    for knee in (motion.left_knee, motion.right_knee):
        assert -85 < knee.min() < -50, "a swing of 50 to 85 degrees"
        assert -10 < knee.max() < 5, "nearly straight when standing"
        assert np.abs(np.diff(knee)).max() < 8, "no knee moves faster than 800 degrees a second in walking"


def test_period_and_alternation() -> None:
    motion = walk(60, seed=1)
    left = motion.left_knee - motion.left_knee.mean()
    right = motion.right_knee - motion.right_knee.mean()
    stride = round(100 * 60 / 54)
    own = [float(left[:-lag] @ left[lag:]) for lag in range(stride - 30, stride + 30)]
    assert abs(int(np.argmax(own)) - 30) <= 3, "the curve repeats with the stride"
    across = [float(left[:-lag] @ right[lag:]) for lag in range(1, stride)]
    assert abs(int(np.argmax(across)) + 1 - stride / 2) <= 5, "the legs take turns"
