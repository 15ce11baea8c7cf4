"""Who the client of a conversation is: tokens, their expiry, sessions that are revoked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from synovia.identity import Identity, InvalidToken, SignIn, SignInUnavailable
from synovia.limits.allowance import Allowance, too_much
from synovia.sync.context import HubContext
from synovia.sync.socket import Socket
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import Authenticate, Authenticated, AuthError

logger = logging.getLogger("synovia.sync")


SIGNED_OUT = ErrorInfo(
    ErrorCode.UNAUTHENTICATED,
    "the sign-in has ended, or its token was refused: nothing is run until the client signs in again, or out",
    {"signedOut": True},
)


class ClientSignIn:
    """Signs a client in and out.

    Args:
        allowance: Counts tokens to verify.
        become: Called with the identity from now on, None for an anonymous client.

    Attributes:
        ended: The client was told that it is not signed in any more, or not at all, and has not said anything to that yet.
    """

    def __init__(
        self, context: HubContext, socket: Socket, allowance: Allowance, become: Callable[[Identity | None], None]
    ) -> None:
        self._context = context
        self._socket = socket
        self._allowance = allowance
        self._become = become
        self._current: SignIn | None = None
        self.ended = False

    async def authenticate(self, message: Authenticate) -> None:
        """Answer a token; without one the client becomes anonymous."""
        signed_in = None if message.token is None else await self._verified(message.token)
        self._current = signed_in
        self.ended = message.token is not None and signed_in is None
        if signed_in is not None:
            self._socket.send(Authenticated(signed_in.token, signed_in.refresh_token, signed_in.expires_at))
        self._become(None if signed_in is None else signed_in.identity)

    async def _verified(self, token: str) -> SignIn | None:
        wait = self._allowance.sign_in()
        if wait > 0:
            self._socket.send(AuthError(too_much(wait)))
            return None
        try:
            async with asyncio.timeout(self._context.limits.authenticate_timeout):
                return await self._context.authenticator.authenticate(token)
        except InvalidToken as error:
            self._refuse(ErrorCode.INVALID_TOKEN, str(error))
        except TimeoutError:
            self._refuse(ErrorCode.TIMEOUT, "the token could not be verified in time")
        except SignInUnavailable as error:
            self._refuse(ErrorCode.SERVER_ERROR, str(error))
        except Exception:
            logger.exception("%s: a token could not be verified", self._socket.name)
            self._refuse(ErrorCode.SERVER_ERROR, "the token could not be verified")
        return None

    def _refuse(self, code: ErrorCode, text: str) -> None:
        self._socket.send(AuthError(ErrorInfo(code, text)))

    def check_expiry(self) -> None:
        """Sign the client out if its time has come."""
        expires_at = None if self._current is None else self._current.expires_at
        if expires_at is not None and self._context.clock() * 1000 >= expires_at:
            self._sign_out("the sign-in has expired")

    def end_session(self, session: str) -> None:
        """Sign the client out if this session is what it is signed in by: it has been revoked."""
        if self._current is not None and self._current.session == session:
            self._sign_out("the session has ended")

    def _sign_out(self, text: str) -> None:
        self._current = None
        self.ended = True
        self._refuse(ErrorCode.INVALID_TOKEN, text)
        self._become(None)
