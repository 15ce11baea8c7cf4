"""What a client sends again on a new connection: it is answered before the client is shown anything.

One of its mutations may have been committed by an earlier connection that broke before it was answered. A client that were
shown the effect first would show it twice, as its own guess is still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

QUIET_SECONDS = 0.05
"""A client sends all that it sends again at once; after such a silence nothing more of it comes."""
MOST_SECONDS = 5.0
"""So long the first transition is held back at most, as a mutation that is sent again may be slow."""


class Resends:
    """Tells whether the first transition of a connection has to wait.

    Args:
        wake: Called when it need not wait any more.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._unanswered: set[int] = set()
        self._quiet: asyncio.TimerHandle | None = None
        self._most: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> bool:
        """Whether nothing may be shown yet."""
        return self._most is not None and (self._quiet is not None or bool(self._unanswered))

    def begin(self) -> None:
        """Wait for what the client sends again."""
        self._most = asyncio.get_running_loop().call_later(MOST_SECONDS, self._give_up)
        self.heard()

    def expect(self, request_id: int) -> None:
        """Wait for the answer to a mutation, which comes before the first transition."""
        if self._most is not None:
            self._unanswered.add(request_id)

    def heard(self) -> None:
        """Wait for the next message: one has been handled."""
        if self._most is not None:
            if self._quiet is not None:
                self._quiet.cancel()
            self._quiet = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._be_quiet)

    def answered(self, request_id: int) -> None:
        """Note that a mutation has been answered; who answers wakes the connection."""
        self._unanswered.discard(request_id)

    def end(self) -> None:
        """Wait for nothing any more."""
        for timer in (self._quiet, self._most):
            if timer is not None:
                timer.cancel()
        self._quiet = self._most = None
        self._unanswered.clear()

    def _be_quiet(self) -> None:
        self._quiet = None
        self._wake()

    def _give_up(self) -> None:
        self.end()
        self._wake()
