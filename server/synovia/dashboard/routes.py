"""``/_synovia/``: the pages of the dashboard, and the sessions in which they are looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from synovia.dashboard.operators import OperatorSessions
from synovia.errors import FunctionError
from synovia.http.errors import JsonResponse, Refused, telling_errors
from synovia.http.origins import own_origin
from synovia.http.page import Page
from synovia.http.proxies import prefix_of
from synovia.http.reading import bearer_token, json_body
from synovia.identity import InvalidToken, SignIn
from synovia.limits.addresses import Address
from synovia.store.base import StoreError
from synovia_protocol.errors import ErrorCode

FOLDER: Final = Path(__file__).parent / "web"
"""What the build of the pages has left; it is in the wheel, and not in git."""
PATH: Final = "/_synovia"
MOST_BYTES: Final = 4_096
BODY_SECONDS: Final = 10.0
_CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex",
}

AddressOf = Callable[[Scope], Address]


class Dashboard:
    """The routes below ``/_synovia``.

    Args:
        address_of: Tells what an address has used; tries of keys are counted there.
        seconds: For a key to be verified.
        is_open: Whether this hub is developed on: whoever reaches it from this machine runs it.
        folder: Where the built pages are.
    """

    def __init__(
        self, sessions: OperatorSessions, address_of: AddressOf, seconds: float, *, is_open: bool, folder: Path = FOLDER
    ) -> None:
        self._sessions = sessions
        self._address_of = address_of
        self._seconds = seconds
        self._is_open = is_open
        self._folder = folder
        self._page = Page(folder)

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        return [
            Route(PATH, self._to_slash, methods=["GET"]),
            Route(f"{PATH}/session", telling_errors(self._open), methods=["POST"]),
            Route(f"{PATH}/session/end", telling_errors(self._end), methods=["POST"]),
            Route(f"{PATH}/{{path:path}}", self.files),
        ]

    async def _to_slash(self, request: Request) -> Response:
        return RedirectResponse(f"{prefix_of(request.scope)}{PATH}/", 307)

    # --- sessions

    async def _open(self, request: Request) -> Response:
        _check_origin(request)
        address = self._address_of(request.scope)
        _count_try(address)
        body = await json_body(request, MOST_BYTES, BODY_SECONDS, address.meter)
        key = body.get("key") if isinstance(body, dict) else None
        if key is None and not self._is_open:
            raise Refused(ErrorCode.UNAUTHENTICATED, "this needs the key of an operator")
        if key is not None and not isinstance(key, str):
            raise Refused(ErrorCode.INVALID_ARGUMENTS, 'send {"key": "..."}')
        signed_in = await self._signed_in(key)
        told = {
            "token": signed_in.token,
            "name": signed_in.identity.name,
            "roles": list(signed_in.identity.roles),
            "expiresAt": signed_in.expires_at,
        }
        return JsonResponse(told)

    async def _signed_in(self, key: str | None) -> SignIn:
        try:
            async with asyncio.timeout(self._seconds):
                opening = self._sessions.open_in_development() if key is None else self._sessions.open(key)
                return await opening
        except InvalidToken as error:
            raise Refused(ErrorCode.INVALID_TOKEN, str(error)) from None
        except (TimeoutError, StoreError):
            raise Refused(ErrorCode.SERVER_ERROR, "the key could not be verified", status=503) from None
        except FunctionError as error:
            raise Refused(error.code, error.message) from None

    async def _end(self, request: Request) -> Response:
        _check_origin(request)
        token = bearer_token(request)
        if token is not None:
            await self._sessions.end(token)
        return Response(status_code=204)

    # --- pages

    async def files(self, request: Request) -> Response:
        """Serve a file of the built pages, or say that they are not built."""
        return _Framed(self._page, self._folder)


class _Framed(Response):
    """The answer of the built pages, under a policy of their own."""

    def __init__(self, page: Page, folder: Path) -> None:
        super().__init__()
        self._built = page
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message["headers"], *(each for each in added if each[0] not in given)]
            await send(message)

        if not (self._folder / "index.html").is_file():
            await _not_built(self._folder)(scope, receive, sending)
            return
        await self._built(scope, receive, sending)


def _check_origin(request: Request) -> None:
    """Let the dashboard's own page in, and programs, which send no Origin; no other page, wherever it comes from."""
    sent = request.headers.getlist("origin")
    if sent and sent != [own_origin(request.scope)]:
        raise Refused(ErrorCode.ORIGIN_REFUSED, "sessions of operators are opened by the dashboard's own page")


def _count_try(address: Address) -> None:
    """Let nobody try keys one after the other."""
    now = time.monotonic()
    if (wait := address.sign_ins.wait_for(1, now)) > 0:
        raise Refused(ErrorCode.RATE_LIMITED, "too many tries of this address", retry_after=wait)
    address.sign_ins.take(1, now)


def _not_built(folder: Path) -> Response:
    sources = folder.parents[1].parent / "dashboard"
    text = f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Synovia</title><h1>The dashboard is not built</h1>
        <p>In a checkout it is built with <a href="https://nodejs.org">Node.js</a> 20 or later:</p>
        <pre>cd {escape(str(sources))}\nnpm ci\nnpm run build</pre><p>or by <code>make dashboard</code>. A package
        has it if it was built before the package was.</p></html>"""
    return HTMLResponse(text, 503, headers={"cache-control": "no-store"})
