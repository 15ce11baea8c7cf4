"""The token: where it comes from, whether the server took it, and when it is worth asking for another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum, auto

from synovia_client.change_counter import ChangeCounter
from synovia_client.clock import Clock
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import Authenticated

Token = str | Callable[[], Awaitable[str | None]] | None

_VERDICTS = frozenset({ErrorCode.INVALID_TOKEN, ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN})
"""These codes refuse the token; every other one says that the server could not verify it."""


class Refusal(Enum):
    """What a refused token means."""

    ANOTHER = auto()
    """There is another one to try."""
    PASSING = auto()
    """The server could not verify it: the same one may be accepted later."""
    FINAL = auto()
    """The client is anonymous."""


class Credentials:
    """Holds the program's token, or the callable that gives one, and the tokens that the server gave in exchange.

    The server's own token goes before its refresh token, and that before the program's: each is dropped when refused.

    Args:
        source: A token, a coroutine function that gives one (None: anonymous), or None.
        clock: Limits how long the callable may take.
        timeout: That limit, in seconds.
        pause: A callable whose token is refused within this many seconds of being asked again is not asked once more: it
            would give the same, and the two ends would go round in circles.

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
        self.changed = ChangeCounter()
        self._source = source
        self._clock = clock
        self._timeout = timeout
        self._pause = pause
        self._renewed_at: float | None = None
        self._signed_in: bool | None = None
        self._given: list[str] = []

    @property
    def anonymous(self) -> bool:
        """Whether there is nothing to sign in with."""
        return self._source is None

    @property
    def signs_in(self) -> bool | None:
        """Whether calls made now are made as somebody: there is a token, and the server has not refused it.

        None: a callable has not said yet whether it has a token.
        """
        if self._source is None or self.error is not None:
            return False
        return self._signed_in if callable(self._source) else True

    def signs_in_still(self, before: bool | None) -> bool | None:
        """Tell whether a call is made as somebody, whose ``signs_in`` was this when it began; it may be known by now."""
        if before is None:
            return self.error is not None if self.signs_in is False else self.signs_in
        return before

    @property
    def renewable(self) -> bool:
        """Whether there is a way to a newer token than the one in use."""
        return callable(self._source) or len(self._given) > 1

    def replace(self, source: Token) -> int:
        """Use another token, or callable, from now on; give its number."""
        self._source = source
        self._given = []
        self._renewed_at = None
        self._signed_in = None
        self.error = None
        self.replaced += 1
        return self.replaced

    def connected(self) -> None:
        """A new connection: nothing is refused yet."""
        if self.error is not None:
            self.error = self._signed_in = None

    async def token(self) -> str | None:
        """Give the token to send; TimeoutError when the callable takes too long, and whatever it raises."""
        if self._given:
            return self._given[0]
        if not callable(self._source):
            return self._source
        async with self._clock.deadline(self._timeout):
            return await self._source()

    def accepted(self, message: Authenticated) -> None:
        """Take the server's consent, and the tokens of its own that came with it."""
        self.error = None
        if message.token is not None:
            self._given = [message.token] + ([message.refresh_token] if message.refresh_token is not None else [])

    def expiring(self) -> None:
        """The token in use will soon be worth nothing: let ``token`` give the next."""
        self._given = self._given[1:]

    def refused(self, error: ErrorInfo) -> Refusal:
        """Take the server's refusal, and tell what it means."""
        if error.code not in _VERDICTS:
            return Refusal.PASSING
        return Refusal.ANOTHER if self._has_another() else Refusal.FINAL

    def settle(self, number: int, error: ErrorInfo | None = None, *, signed_in: bool = False) -> None:
        """The server has accepted the program's token of this number, or refused it for good, or there is none."""
        if number == self.replaced:
            self.error, self._signed_in = error, signed_in
        self.settled = max(self.settled, number)
        self.changed.bump()

    def _has_another(self) -> bool:
        if self._given:
            self._given.pop(0)
            return True
        now = self._clock.time()
        if not callable(self._source) or (self._renewed_at is not None and now - self._renewed_at < self._pause):
            return False
        self._renewed_at = now
        return True
