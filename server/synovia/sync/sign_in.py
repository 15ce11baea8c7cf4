"""Who the client of a conversation is: tokens, their expiry, sessions that are revoked."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass

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


@dataclass(eq=False, slots=True, weakref_slot=True)
class Caller:
    """Who the client is, or was when it sent a call that waits.

    Attributes:
        sign_in: The newest of this identity; None for nobody.
        ended: It has ended, other than by the client's word: what has not begun by then is not run.
    """

    sign_in: SignIn | None = None
    ended: bool = False

    @property
    def identity(self) -> Identity | None:
        return None if self.sign_in is None else self.sign_in.identity

    def has_expired(self, now: float) -> bool:
        """Tell whether its time has come; ``now`` in seconds since 1970."""
        expires_at = None if self.sign_in is None else self.sign_in.expires_at
        return expires_at is not None and now * 1000 >= expires_at


class ClientSignIn:
    """Signs a client in and out.

    Args:
        allowance: Counts tokens to verify.
        become: Called with the identity from now on, None for an anonymous client.

    Attributes:
        ended: The client was told that it is not signed in any more, or not at all, and has not said anything to that yet.
        caller: Whose calls they are that come now; the same after a token of the same identity.
    """

    def __init__(
        self, context: HubContext, socket: Socket, allowance: Allowance, become: Callable[[Identity | None], None]
    ) -> None:
        self._context = context
        self._socket = socket
        self._allowance = allowance
        self._become = become
        self._earlier: Collection[Caller] = ()  # made when there are any: most connections have one caller
        self.ended = False
        self.caller = Caller()

    async def authenticate(self, message: Authenticate) -> None:
        """Answer a token; without one the client becomes anonymous."""
        signed_in = None if message.token is None else await self._verified(message.token)
        self.ended = message.token is not None and signed_in is None
        if signed_in is not None:
            self._socket.send(Authenticated(signed_in.token, signed_in.refresh_token, signed_in.expires_at))
        self._call_as(signed_in)

    def _call_as(self, sign_in: SignIn | None) -> None:
        identity = None if sign_in is None else sign_in.identity
        if identity == self.caller.identity:
            self.caller.sign_in = sign_in
        else:
            self._earlier = weakref.WeakSet([*self._earlier, self.caller])  # those of calls that wait
            self.caller = Caller(sign_in)
        self._become(identity)

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
        if self.caller.sign_in is None and not self._earlier:
            return
        self._end(lambda caller: caller.has_expired(self._context.clock()), "the sign-in has expired")

    def end_session(self, session: str) -> None:
        """Sign the client out if this session is what it is signed in by: it has been revoked."""
        self._end(
            lambda caller: caller.sign_in is not None and caller.sign_in.session == session, "the session has ended"
        )

    def _end(self, is_over: Callable[[Caller], bool], text: str) -> None:
        for caller in self._earlier:
            caller.ended = caller.ended or is_over(caller)
        if is_over(self.caller):
            self.ended = self.caller.ended = True
            self._refuse(ErrorCode.INVALID_TOKEN, text)
            self._call_as(None)
