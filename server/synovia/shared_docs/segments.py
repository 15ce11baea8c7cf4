"""When the updates of a shared document are put together, and which of its states with them.

Each update that is appended closes its segment with some probability, so that nobody has to count: on average after 64
updates, or 32 KiB. The states before are merged with the newest as long as they are not more than twice as large (as a
binary counter carries, or a log-structured merge tree): each byte is written anew about as often as its document doubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

MEAN_UPDATES: Final = 64
MEAN_BYTES: Final = 32 * 1024


def falls_due(random: Random, size: int) -> bool:
    """Tell whether an update of so many bytes closes its segment."""
    return random.random() < 1 / MEAN_UPDATES + size / MEAN_BYTES


def to_be_merged(sizes: Sequence[int], size: int) -> int:
    """Tell how many of the last states a new one is merged with.

    Args:
        sizes: Of the states, in bytes, the oldest first.
        size: Of the new one.
    """
    number = 0
    for each in reversed(sizes):
        if each > 2 * size:
            break
        size += each
        number += 1
    return number
