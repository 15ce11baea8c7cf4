"""The token: where it comes from, whether the server took it, and when it is worth asking for another."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Literal

from synovia_client.callbacks import Listeners
from synovia_client.change_counter import ChangeCounter
from synovia_client.clock import Clock
from synovia_client.errors import AuthenticationError
from synovia_client.tokens import AuthState, TokenSet, TokenStore
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import Authenticated

Token = str | Callable[[], Awaitable[str | None]] | None

logger = logging.getLogger("synovia_client")

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


_Kind = Literal["token", "refresh", "source"]


class Credentials:
    """Holds the program's token, or the callable that gives one, and the tokens that the server gave in exchange.

    The server's own token goes before its refresh token, and that before the program's: each is dropped when refused.

    Args:
        source: A token, a coroutine function that gives one (None: anonymous), or None.
        clock: Limits how long the callable may take.
        timeout: That limit, in seconds.
        store: Where the server's tokens are kept; what is there counts as long as the program gives no token.
        pause: A callable whose token is refused within this many seconds of being asked again is not asked once more: it
            would give the same, and the two ends would go round in circles.

    Attributes:
        error: Why the server did not take the newest token; None when it did, or has not said.
        replaced: Counts the tokens given by the program.
        settled: Which of those the server has taken or refused last.
        changed: Counts what the server says about tokens.
        state: Who the server takes us for; the same object as long as nothing changes.
        watchers: Called when that is another.
    """

    def __init__(
        self, source: Token, clock: Clock, timeout: float, store: TokenStore | None = None, pause: float = 60.0
    ) -> None:
        self.error: ErrorInfo | None = None
        self.replaced = 0
        self.settled = -1
        self.changed = ChangeCounter()
        self.watchers: Listeners[AuthState] = Listeners()
        self._source = source
        self._clock = clock
        self._timeout = timeout
        self._store = store
        self._pause = pause
        self._asked_at: float | None = None
        self._signed_in: bool | None = None
        self._issued = self._load() if source is None else None
        self._offered: _Kind = "source"
        self._renewing = False
        self.state = AuthState(not self.anonymous, False)

    @property
    def anonymous(self) -> bool:
        """Whether there is nothing to sign in with."""
        return self._source is None and self._issued is None

    @property
    def issued(self) -> str | None:
        """The server's own token, if it has given one."""
        return None if self._issued is None else self._issued.token

    @property
    def signs_in(self) -> bool | None:
        """Whether calls made now are made as somebody: there is a token, and the server has not refused it.

        None: a callable has not said yet whether it has a token.
        """
        if self.anonymous or self.error is not None:
            return False
        return True if self._issued is not None or not callable(self._source) else self._signed_in

    def signs_in_still(self, before: bool | None) -> bool | None:
        """Tell whether a call is made as somebody, whose ``signs_in`` was this when it began; it may be known by now."""
        if before is None:
            return self.error is not None if self.signs_in is False else self.signs_in
        return before

    @property
    def renewable(self) -> bool:
        """Whether there is a way to a newer token than the one in use."""
        return callable(self._source) or (self._issued is not None and self._issued.refresh_token is not None)

    def replace(self, source: Token) -> int:
        """Use another token, or callable, from now on; give its number."""
        self._source = source
        self._asked_at = self._signed_in = self.error = None
        self._keep(None)
        self.replaced += 1
        self._move(AuthState(source is not None, False))
        return self.replaced

    def connected(self) -> None:
        """A new connection: nothing is refused yet."""
        if self.error is not None:
            self.error = self._signed_in = None
            self._move(AuthState(not self.anonymous, False))

    async def token(self) -> str | None:
        """Give the token to send; TimeoutError when the callable takes too long, and whatever it raises."""
        renewing, self._renewing = self._renewing, False
        fresh = self._reread()
        issued = self._issued or TokenSet(None)
        if issued.token is not None and (fresh or not renewing):
            self._offered = "token"
            return issued.token
        if issued.refresh_token is not None:
            self._offered = "refresh"
            return issued.refresh_token
        self._offered = "source"
        if not callable(self._source):
            return self._source
        async with self._clock.deadline(self._timeout):
            return await self._source()

    async def bearer(self) -> str | None:
        """Give the token for a request beside the socket: the server's own, else the program's; errors as for ``token``."""
        if self.issued is not None or not callable(self._source):
            return self.issued or (None if callable(self._source) else self._source)
        async with self._clock.deadline(self._timeout):
            return await self._source()

    def accepted(self, message: Authenticated) -> None:
        """Take the server's consent, and the tokens of its own that came with it."""
        self.error = None
        if message.token is not None:
            kept = None if self._issued is None else self._issued.refresh_token
            self._keep(TokenSet(message.token, message.refresh_token or kept, message.expires_at))
            self._offered = "token"

    def expiring(self) -> None:
        """The token in use will soon be worth nothing: let ``token`` give the next."""
        self._renewing = True

    def refused(self, error: ErrorInfo) -> Refusal:
        """Take the server's refusal, and tell what it means."""
        if error.code not in _VERDICTS:
            return Refusal.PASSING
        return Refusal.ANOTHER if self._has_another() else Refusal.FINAL

    def settle(self, number: int, error: ErrorInfo | None = None, *, signed_in: bool = False) -> None:
        """The server has accepted the program's token of this number, or refused it for good, or there is none."""
        if number == self.replaced:
            self.error, self._signed_in = error, signed_in
            self._move(AuthState(False, signed_in, None if error is None else AuthenticationError.of(error)))
        self.settled = max(self.settled, number)
        self.changed.bump()

    def _has_another(self) -> bool:
        """Take away what was refused; tell whether something is left."""
        if self._reread():
            return True
        issued = self._issued
        if issued is not None and self._offered != "source":
            refresh = issued.refresh_token if self._offered == "token" else None
            self._keep(None if refresh is None else TokenSet(None, refresh))
            return not self.anonymous
        return self._may_ask_again()

    def _may_ask_again(self) -> bool:
        now = self._clock.time()
        if not callable(self._source) or (self._asked_at is not None and now - self._asked_at < self._pause):
            return False
        self._asked_at = now
        return True

    # --- what is kept

    def _keep(self, tokens: TokenSet | None) -> None:
        before, self._issued = self._issued, tokens
        if self._store is None or (tokens is None and before is None):
            return
        try:
            self._store.clear() if tokens is None else self._store.save(tokens)
        except Exception:
            logger.exception("the token store failed")

    def _load(self) -> TokenSet | None:
        try:
            kept = None if self._store is None else self._store.load()
        except Exception:
            logger.exception("the token store failed")
            return None
        return kept if kept is not None and kept.is_well_formed else None

    def _reread(self) -> bool:
        """Take over what another program has done: renewed the tokens (each is good for one renewal only), or signed out."""
        before = self._issued
        if self._store is not None and before is not None:
            self._issued = self._load()
        return self._issued is not None and before is not None and self._issued.token != before.token

    def _move(self, state: AuthState) -> None:
        if not _alike(state, self.state):
            self.state = state
            self.watchers.emit(state)


def _alike(one: AuthState, other: AuthState) -> bool:
    errors = [None if state.error is None else state.error.args for state in (one, other)]
    return replace(one, error=None) == replace(other, error=None) and errors[0] == errors[1]
