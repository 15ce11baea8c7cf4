"""A clock that jumps forward makes everything due at once, which nothing can take back: that is not believed at once."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger("synovia")

JUMP_SECONDS = 10.0


class JumpGuard:
    """Doubts a clock that has jumped forward, until it has stayed there for a moment, or has gone back as far.

    Args:
        clock: Tells the time of day in seconds.
        steady: Tells seconds, and never jumps.
        doubts: For so many seconds a jump is not believed.
        what: What waits meanwhile, for the log.
    """

    def __init__(self, clock: Callable[[], float], steady: Callable[[], float], doubts: float, what: str) -> None:
        self._clock = clock
        self._steady = steady
        self._doubts = doubts
        self._what = what
        self._last = clock(), steady()
        self._until = 0.0
        self._ahead = 0.0  # so far it has jumped since it was believed

    def doubt(self) -> float:
        """Look at the clock; tell for how many seconds nothing that it makes due is to be done."""
        now = self._clock(), self._steady()
        jump = (now[0] - self._last[0]) - (now[1] - self._last[1])
        self._last = now
        if abs(jump) > JUMP_SECONDS:
            self._ahead = jump if now[1] >= self._until else self._ahead + jump
            if jump > 0:
                self._until = now[1] + self._doubts
                logger.warning("the clock has gone %.0f s forward; %s waits for %g s", jump, self._what, self._doubts)
            else:
                logger.warning("the clock has gone %.0f s back", -jump)
                if self._ahead <= JUMP_SECONDS:
                    self._until = now[1]
        return max(0.0, self._until - now[1])
