"""The token: where it comes from, whether the server took it, and when it is worth asking for another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from synovia_client.clock import Clock
from synovia_client.signal import Signal
from synovia_protocol.errors import ErrorCode, ErrorInfo

Token = str | Callable[[], Awaitable[str | None]] | None

_RENEWABLE = frozenset({ErrorCode.INVALID_TOKEN, ErrorCode.UNAUTHENTICATED})


class Credentials:
    """Holds the token, or the callable that gives one.

    Args:
        source: A token, a coroutine function that gives one (None: anonymous), or None.
        clock: Limits how long the callable may take.
        timeout: That limit, in seconds.
        pause: A token that is refused within this many seconds of being asked for is not asked for again: whoever gives
            it gives the same, and the two ends would go round in circles.

    Attributes:
        error: Why the server did not take the newest token; None when it did, or has not said.
        replaced: Counts the tokens given by the program.
        settled: Which of those the server has taken or refused last.
        changed: Counts what the server says about tokens.
    """

    def __init__(self, source: Token, clock: Clock, timeout: float, pause: float = 60.0) -> None:
        self.error: ErrorInfo | None = None
        self.replaced = 0
        self.settled = -1
        self.changed = Signal()
        self._source = source
        self._clock = clock
        self._timeout = timeout
        self._pause = pause
        self._renewed_at: float | None = None

    @property
    def anonymous(self) -> bool:
        """Whether there is nothing to sign in with."""
        return self._source is None

    def replace(self, source: Token) -> int:
        """Use another token, or callable, from now on; give its number."""
        self._source = source
        self._renewed_at = None
        self.error = None
        self.replaced += 1
        return self.replaced

    def connected(self) -> None:
        """A new connection: nothing is refused yet, and the token may be renewed again."""
        self.error = None
        self._renewed_at = None

    async def token(self) -> str | None:
        """Give the token; TimeoutError when the callable takes too long, and whatever it raises."""
        if not callable(self._source):
            return self._source
        async with self._clock.deadline(self._timeout):
            return await self._source()

    def refused(self, error: ErrorInfo) -> bool:
        """Take the server's refusal; tell whether to ask for another token, and count that as done."""
        if self._may_renew(error):
            self._renewed_at = self._clock.time()
            return True
        self.error = error
        self.settle(self.replaced)
        return False

    def settle(self, number: int) -> None:
        """The server has taken or refused the program's token of this number."""
        self.settled = max(self.settled, number)
        self.changed.bump()

    def _may_renew(self, error: ErrorInfo) -> bool:
        if not callable(self._source) or error.code not in _RENEWABLE:
            return False
        return self._renewed_at is None or self._clock.time() - self._renewed_at >= self._pause
