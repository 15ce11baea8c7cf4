"""Which lines of a log are written where the same is so again and again, hundreds of times a second."""

from __future__ import annotations

import time
from collections.abc import Callable


class Sparingly:
    """Has a line written when it is another than the last one, and else once in a while.

    Args:
        clock: A steady one, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._text: str | None = None
        self._written_at = 0.0
        self._left_out = 0

    def left_out(self, text: str, seconds: float) -> int | None:
        """Give how many lines were left out since the last one, if this one is to be written; None: leave it out, too.

        Args:
            seconds: After so many the same is written again.
        """
        now = self._clock()
        if text == self._text and now - self._written_at < seconds:
            self._left_out += 1
            return None
        self._text, self._written_at = text, now
        left_out, self._left_out = self._left_out, 0
        return left_out
