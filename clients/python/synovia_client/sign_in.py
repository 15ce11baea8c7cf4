"""Signing in on one connection: which answers of the server belong to which token."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from synovia_client.credentials import Credentials, Refusal
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Authenticated


class _Shown(NamedTuple):
    """A token that was sent, and the ping behind it, whose pong comes after the answer to the token."""

    nonce: int
    number: int
    anonymous: bool


class SignIn:
    """Knows whether the server has answered the newest token; until then it is not known as whom a request would run.

    The server answers in order, so an answer belongs to the oldest token that is not settled yet. An AuthError may also come
    unasked, when a session ends; the pong behind a token tells the two apart, and that there will be no answer.

    Attributes:
        due: A token is to be sent before anything else.
        settled: Whether any token of this connection has been answered, or none was needed.
        signed_in: Whether the server has accepted the newest token.
        refused: Whether it has refused it: it runs nothing then until the client says that it goes on as nobody.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.due = not credentials.anonymous
        self.settled = False
        self.signed_in = False
        self.refused = False
        self._credentials = credentials
        self._shown: deque[_Shown] = deque()
        self._refusal: ErrorInfo | None = None

    @property
    def pending(self) -> bool:
        """Whether the answer to a token is still to come."""
        return self.due or bool(self._shown)

    def shown(self, nonce: int, number: int, *, anonymous: bool) -> None:
        """Note that a token has been sent, with a ping of this nonce behind it; another is due if it was replaced before."""
        self.due = number != self._credentials.replaced
        self._shown.append(_Shown(nonce, number, anonymous))
        self._refusal = None

    def take_consent(self, message: Authenticated) -> bool:
        """Take the server's consent; False if it is to a token that has been replaced meanwhile."""
        if self._outdated:
            return False
        self._credentials.accepted(message)
        self._refusal = None
        return True

    def take_refusal(self, error: ErrorInfo) -> Refusal | None:
        """Take the server's refusal; None if it is of a token that has been, or is about to be, replaced."""
        if self.due or self._outdated:
            return None
        refusal = self._credentials.refused(error)
        if refusal is Refusal.FINAL:
            if self._shown and self._shown[0].anonymous:
                return None  # nobody cannot be refused: it is of the session that has just been left
            self._refusal = error
            if not self._shown:  # unasked
                self._settle(self._credentials.replaced, anonymous=True)
        return refusal

    def ponged(self, nonce: int) -> bool:
        """Take a pong; tell whether it settles who the client is."""
        if not self._shown or nonce != self._shown[0].nonce:
            return False
        _, number, anonymous = self._shown.popleft()
        if self.pending:
            return False
        self._settle(number, anonymous=anonymous)
        return True

    def welcomed(self) -> bool:
        """Take the welcome; tell whether it settles who the client is: nobody, if there is no token."""
        if self.pending or self.settled:
            return False
        self._settle(self._credentials.replaced, anonymous=True)
        return True

    @property
    def _outdated(self) -> bool:
        return bool(self._shown) and self._shown[0].number != self._credentials.replaced

    def _settle(self, number: int, *, anonymous: bool) -> None:
        self.settled = True
        self.refused = self._refusal is not None
        self.signed_in = not anonymous and not self.refused
        self._credentials.settle(number, self._refusal, signed_in=self.signed_in)
        self._refusal = None
