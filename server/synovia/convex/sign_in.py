"""Who a Convex client is: tokens that change while it is connected, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from synovia.convex.messages import Authenticate, Malformed, auth_error
from synovia.convex.socket import ConvexSocket
from synovia.identity import Identity, InvalidToken, SignIn
from synovia.limits.allowance import Allowance, too_much
from synovia.sync.context import HubContext
from synovia.sync.frame_socket import Ending
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

GRACE_MS = 2_000
"""So much longer than it says a token is good on a connection: the client has another one, but it may be on its way."""

logger = logging.getLogger("synovia.convex")


class ConvexSignIn:
    """Signs a client in and out. A token that is not taken ends the connection: the client gets another and comes back.

    Args:
        allowance: Counts tokens to verify.
        told: Tells the version of its identity that the client was last told.
        become: Called with the identity from now on, None for an anonymous client.
    """

    def __init__(
        self,
        context: HubContext,
        socket: ConvexSocket,
        allowance: Allowance,
        told: Callable[[], int],
        become: Callable[[Identity | None], None],
    ) -> None:
        self._context = context
        self._socket = socket
        self._allowance = allowance
        self._told = told
        self._become = become
        self._version = 0
        self._current: SignIn | None = None

    async def authenticate(self, message: Authenticate) -> None:
        """Take a token, or take it that there is none any more.

        Raises:
            Malformed: It does not go on from the identity before.
        """
        if message.base_version != self._version:
            raise Malformed(f"Authenticate: from version {message.base_version}, but it is {self._version}")
        self._version += 1
        if message.admin:
            self._refuse("this server has no admin keys", attempted=True)
            return
        signed_in = None if message.token is None else await self._verified(message.token)
        if message.token is None or signed_in is not None:
            self._current = signed_in
            self._become(None if signed_in is None else signed_in.identity)

    async def _verified(self, token: str) -> SignIn | None:
        wait = self._allowance.sign_in()
        if wait > 0:
            self._put_off(too_much(wait))
            return None
        try:
            async with asyncio.timeout(self._context.limits.authenticate_timeout):
                return await self._context.authenticator.authenticate(token, exchange=False)
        except InvalidToken as error:
            self._refuse(str(error), attempted=True)
        except Exception as error:
            logger.warning("%s: a token could not be verified: %s", self._socket.name, error or type(error).__name__)
            self._put_off(ErrorInfo(ErrorCode.SERVER_ERROR, "the token could not be verified"))
        return None

    def _refuse(self, text: str, *, attempted: bool) -> None:
        self._socket.put(auth_error(text, self._told(), attempted=attempted))
        info = ErrorInfo(ErrorCode.INVALID_TOKEN, text)
        self._socket.end(Ending(info, CloseCode.UNAUTHENTICATED, flush=True))

    def _put_off(self, error: ErrorInfo) -> None:
        """End the connection without a word about the token, which may be a good one: the client tries it again."""
        self._socket.end(Ending(error, CloseCode.SERVER_ERROR))

    def check_expiry(self) -> None:
        """End the connection if the time of the token has come."""
        expires_at = None if self._current is None else self._current.expires_at
        if expires_at is not None and self._context.clock() * 1000 >= expires_at + GRACE_MS:
            self._end("the token has expired")

    def end_session(self, session: str) -> None:
        """End the connection if this session is what the client is signed in by: it has been revoked."""
        if self._current is not None and self._current.session == session:
            self._end("the session has ended")

    def _end(self, text: str) -> None:
        self._current = None
        self._refuse(text, attempted=False)
