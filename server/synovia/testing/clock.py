"""The time as an application under test sees it."""

from __future__ import annotations

import time


class Clock:
    """A clock that a test moves; in seconds since 1970."""

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.now += seconds
