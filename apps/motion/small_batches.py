"""Small batches of samples are bytes, in place of two arrays: the left knee's samples, then as many of the right one's."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

SMALL_BATCH: Final = 128
"""So many samples a knee are one at most."""
SAMPLE_BYTES: Final = 16
"""So many bytes are one sample of either knee."""

Floats = npt.NDArray[np.float64]


def packed(left: Floats, right: Floats) -> bytes:
    """Give the bytes of series of one length: float64, little-endian."""
    return left.astype("<f8").tobytes() + right.astype("<f8").tobytes()


def unpacked(samples: bytes) -> tuple[Floats, Floats]:
    """Give the two series again; they cannot be written to."""
    left, right = np.frombuffer(samples, "<f8").reshape(2, -1)
    return left, right
