"""Signing in from a desktop program: which ways the hub offers, and how each goes."""

from __future__ import annotations

import asyncio
import inspect
import ssl as ssl_module
import webbrowser
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any

from synovia_client.address import beside_socket
from synovia_client.desktop.errors import SignInCode, SignInError
from synovia_client.desktop.issuer import GOOGLE, Attempt, Program, discover, exchange, host_of
from synovia_client.desktop.loopback import Loopback, Return, ReturnPages
from synovia_client.hub_connection import HubConnection

PATIENCE = 300.0
"""Seconds within which the browser has to come back."""

OpenUrl = Callable[[str], object]
"""Opens an address in the system's browser; False, or an awaitable that gives it, says that it could not."""


@dataclass(frozen=True)
class IssuerWay:
    """An issuer with which the hub lets people sign in.

    Attributes:
        client_ids: The programs that the hub knows there.
    """

    issuer: str
    client_ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """The issuer's name for people: Google, or the host's."""
        return host_of(self.issuer)


@dataclass(frozen=True)
class SignInWays:
    """The ways to sign in that a hub offers.

    Attributes:
        issuers: With a browser, at one of these.
        email: With a code by e-mail.
        development: With a token ``dev:ADDRESS``, while somebody develops the program.
    """

    issuers: tuple[IssuerWay, ...] = ()
    email: bool = False
    development: bool = False


@dataclass(frozen=True)
class SentCode:
    """A code that was sent by e-mail; it counts only together with this.

    Attributes:
        email: Where it went.
        expires_in: Seconds for which it is good.
    """

    email: str
    expires_in: int
    challenge: str = field(repr=False)

    def token(self, code: str) -> str:
        """Give the token for what was typed in."""
        return f"email-code:{self.challenge}:{''.join(code.split())}"


class DesktopSignIn:
    """Signs a client in, with the system's browser or a code by e-mail.

    The server's own tokens, which come of it, are kept where the client's ``tokens=`` says, and sign in at the next start.

    Args:
        client: Who is signed in.
        client_ids: The program's client id at an issuer; by default the second of those that the hub names (the first is
            the web page's), or the only one.
        client_secrets: What an issuer gave beside the id, as Google does.
        scopes: What issuers are asked for.
        redirect_path: The path of the address at which the browser comes back.
        pages: What the browser shows at the end.
        issuer_ssl: A TLS context for issuers; the system's default otherwise. That of the client is for the hub alone.
    """

    def __init__(
        self,
        client: HubConnection,
        *,
        client_ids: Mapping[str, str] | None = None,
        client_secrets: Mapping[str, str] | None = None,
        scopes: str = "openid email profile",
        redirect_path: str = "/",
        pages: ReturnPages | None = None,
        issuer_ssl: ssl_module.SSLContext | None = None,
    ) -> None:
        self._client = client
        self._hub = client._dialer.http
        self._issuers = replace(self._hub, ssl=issuer_ssl)
        self._client_ids = dict(client_ids or {})
        self._secrets = dict(client_secrets or {})
        self._scopes = scopes
        self._path = redirect_path
        self._pages = pages

    async def ways(self) -> SignInWays:
        """Ask the hub which ways there are; none, if it has no sign-in.

        Raises:
            SignInError: ``hub_unreachable``.
        """
        try:
            answer = await self._hub.get(beside_socket(self._client.url, "/auth/config"))
        except (OSError, HTTPException) as error:
            raise SignInError(SignInCode.HUB_UNREACHABLE, "the server cannot be reached") from error
        if answer.status == 404:
            return SignInWays()
        if answer.status != 200:
            raise SignInError(SignInCode.HUB_UNREACHABLE, f"the server answered with status {answer.status}")
        return _ways_of(answer.json)

    async def with_browser(
        self,
        issuer: str | None = None,
        *,
        open_url: OpenUrl | None = None,
        timeout: float = PATIENCE,
        login_hint: str | None = None,
    ) -> None:
        """Sign in with the system's browser (PKCE, RFC 8252). Cancelling it closes the port.

        Args:
            issuer: Whom to ask; None: the only one there is.
            open_url: Opens the browser; runs on a thread of its own if it is left out.
            timeout: Seconds within which the browser has to come back.
            login_hint: The address with which the person will sign in, if it is known.

        Raises:
            SignInError: It did not work; ``code`` says why.
            AuthenticationError: The hub does not accept what the issuer says.
        """
        way = self._choose(await self.ways(), issuer)
        endpoints = await discover(self._issuers, way.issuer)
        program = Program(self._client_id(way), self._secrets.get(way.issuer), self._scopes)
        attempt = Attempt()
        async with Loopback(attempt.state, way.issuer, self._path, self._pages) as loopback:
            question = endpoints.question(program, attempt, loopback.address, login_hint)
            try:
                async with self._client._clock.deadline(timeout):
                    returned = await _answered(loopback, _show(open_url, question))
            except TimeoutError:
                raise SignInError(SignInCode.TIMED_OUT, f"the browser did not come back within {timeout:g} s") from None
            token = await exchange(self._issuers, endpoints, program, attempt, returned.code, loopback.address)
            await self._client.authenticate(token)

    def _choose(self, ways: SignInWays, issuer: str | None) -> IssuerWay:
        found = [way for way in ways.issuers if issuer in (None, way.issuer)]
        if len(found) != 1:
            known = ", ".join(way.issuer for way in ways.issuers) or "none"
            raise SignInError(SignInCode.NO_SUCH_WAY, f"name an issuer that the server knows ({known})")
        return found[0]

    def _client_id(self, way: IssuerWay) -> str:
        named = self._client_ids.get(way.issuer)
        return named if named is not None else way.client_ids[min(1, len(way.client_ids) - 1)]

    async def send_code(self, email: str) -> SentCode:
        """Have a code sent to an address.

        Raises:
            SignInError: ``invalid_email``, ``too_many``, ``not_sent``, ``no_such_way`` or ``hub_unreachable``.
        """
        try:
            answer = await self._hub.post_json(beside_socket(self._client.url, "/auth/email"), {"email": email})
        except (OSError, HTTPException) as error:
            raise SignInError(SignInCode.HUB_UNREACHABLE, "the server cannot be reached") from error
        found = answer.json
        if answer.status == 202 and isinstance(found.get("challenge"), str):
            lasts = found.get("expiresIn")
            return SentCode(email, lasts if isinstance(lasts, int) else 0, found["challenge"])
        code, message = _NOT_SENT.get(answer.status, (SignInCode.NOT_SENT, "the code cannot be sent at the moment"))
        raise SignInError(code, message, answer.retry_after if answer.retry_after >= 0 else None)

    async def with_code(self, sent: SentCode, code: str) -> None:
        """Sign in with the code that was sent; a wrong one may be tried again, some times.

        Raises:
            AuthenticationError: It is wrong, used or expired.
        """
        await self._client.authenticate(sent.token(code))

    async def sign_out(self) -> None:
        """Sign out: forget all tokens, and end the session at the server."""
        await self._client.sign_out()


_NOT_SENT = {
    400: (SignInCode.INVALID_EMAIL, "this is not an e-mail address"),
    404: (SignInCode.NO_SUCH_WAY, "the server sends no codes by e-mail"),
    429: (SignInCode.TOO_MANY, "too many codes were asked for"),
}


def _ways_of(found: dict[str, Any]) -> SignInWays:
    issuers = found.get("issuers")
    ways = [
        IssuerWay(each["issuer"], tuple(each["clientIds"]))
        for each in (issuers if isinstance(issuers, list) else ())
        if isinstance(each, dict) and isinstance(each.get("issuer"), str) and each.get("clientIds")
    ]
    ways.sort(key=lambda way: (way.issuer != GOOGLE, way.issuer))
    return SignInWays(tuple(ways), found.get("email") is True, found.get("development") is True)


async def _answered(loopback: Loopback, showing: Coroutine[Any, Any, None]) -> Return:
    """Wait for the browser; not for who opens it, who may return when it is closed."""
    shown = asyncio.create_task(showing, name="open the browser")
    returned = asyncio.create_task(loopback.returned(), name="the browser comes back")
    try:
        await asyncio.wait((shown, returned), return_when=asyncio.FIRST_COMPLETED)
        if not returned.done():
            await shown
        return await returned
    finally:
        shown.cancel()
        returned.cancel()
        await asyncio.gather(shown, returned, return_exceptions=True)


async def _show(open_url: OpenUrl | None, url: str) -> None:
    try:
        shown = await asyncio.to_thread(webbrowser.open, url) if open_url is None else open_url(url)
        if inspect.isawaitable(shown):
            shown = await shown
    except Exception as error:
        raise SignInError(SignInCode.NO_BROWSER, f"the browser could not be opened: {error}") from error
    if shown is False:
        raise SignInError(SignInCode.NO_BROWSER, "the browser could not be opened")
