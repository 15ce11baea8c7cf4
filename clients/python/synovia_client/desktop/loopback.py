"""The port of this machine at which the browser comes back (RFC 8252, section 7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from synovia_client.desktop.errors import SignInCode, SignInError
from synovia_client.desktop.issuer import plain

_MOST_HEAD = 16 << 10
_HEAD_SECONDS = 5.0
_MOST_CONNECTIONS = 16
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}"
)


@dataclass(frozen=True)
class ReturnPages:
    """What the browser shows at the end: title and text, each; the error's own text comes after the second title."""

    done: tuple[str, str] = ("You are signed in", "You can close this page and go back to the program.")
    failed: str = "You are not signed in"


@dataclass(frozen=True)
class Return:
    """What the browser came back with."""

    code: str = field(repr=False)


class Loopback:
    """Listens on a free port until one answer has come, and tells the browser what came of it.

    Args:
        state: What the answer has to say; another one ends the attempt.
        issuer: Who may give it, where the answer says that (RFC 9207).
        path: Of the address, if an issuer wants one.
    """

    def __init__(self, state: str, issuer: str, path: str = "/", pages: ReturnPages | None = None) -> None:
        self._state = state
        self._issuer = issuer
        self._path = path
        self._pages = pages or ReturnPages()
        self._loop = asyncio.get_running_loop()
        self._returned: asyncio.Future[Return] = self._loop.create_future()
        self._outcome: asyncio.Future[SignInError | None] = self._loop.create_future()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._port = 0

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=_MOST_HEAD)
        except OSError as error:
            raise SignInError(
                SignInCode.NO_BROWSER, f"there is no port to which a browser comes back: {error}"
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell the browser what came of it, and close the port."""
        if not self._outcome.done():
            cancelled = SignInError(SignInCode.CANCELLED, "it was cancelled")
            failed = error if isinstance(error, SignInError) else cancelled
            self._outcome.set_result(None if error is None else failed)
        if self._returned.done() and not self._returned.cancelled():
            self._returned.exception()  # whoever waited has gone
        if self._server is not None:
            self._server.close()
        if self._talks:
            await asyncio.wait(self._talks, timeout=1.0)
        for talk in self._talks:
            talk.cancel()

    @property
    def address(self) -> str:
        """Where the browser is sent back to."""
        return f"http://127.0.0.1:{self._port}{self._path}"

    async def returned(self) -> Return:
        """Wait for the browser; SignInError if it comes back with an error, or with another's answer."""
        return await asyncio.shield(self._returned)

    # --- one connection of the browser

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is None or len(self._talks) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._talks.add(talk)
        try:
            await self._answer(reader, writer)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, title, text = await self._look_at(head)
        writer.write(_page(status, title, text))
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    async def _look_at(self, head: str) -> tuple[str, str, str]:
        request, *lines = head.split("\r\n")
        parts = request.split(" ")
        hosts = [line[5:].strip() for line in lines if line.lower().startswith("host:")]
        if len(parts) != 3 or hosts != [f"127.0.0.1:{self._port}"]:  # a name that leads here is somebody's trick
            return "400 Bad Request", self._pages.failed, "This is no page."
        target = urlsplit(parts[1])
        if target.path != self._path:
            return "404 Not Found", self._pages.failed, "There is no such page."
        if parts[0] != "GET":
            return "405 Method Not Allowed", self._pages.failed, "This is no page."
        if not target.query:
            return "400 Bad Request", self._pages.failed, "This is where a browser comes back from signing in."
        if self._returned.done():
            return "409 Conflict", self._pages.failed, "This address was used already."
        return await self._settle(parse_qs(target.query, keep_blank_values=True, max_num_fields=50))

    async def _settle(self, fields: dict[str, list[str]]) -> tuple[str, str, str]:
        try:
            self._returned.set_result(self._read(fields))
        except SignInError as error:
            self._returned.set_exception(error)
        outcome = await asyncio.shield(self._outcome)
        if outcome is None:
            return "200 OK", *self._pages.done
        return "400 Bad Request", self._pages.failed, outcome.message

    def _read(self, fields: dict[str, list[str]]) -> Return:
        if any(len(values) != 1 for values in fields.values()):
            raise SignInError(SignInCode.ISSUER_ERROR, "the browser came back with a field twice")
        values = {name: value for name, (value,) in fields.items()}
        if not hmac.compare_digest(values.get("state", "").encode(), self._state.encode()):
            raise SignInError(SignInCode.STATE_MISMATCH, "the browser came back from another sign-in than this one")
        if values.get("iss", self._issuer) != self._issuer:
            raise SignInError(SignInCode.ISSUER_MISMATCH, "the browser came back from another issuer")
        if "error" in values:
            denied = values["error"] == "access_denied"
            said = plain(values.get("error_description") or values["error"])
            raise SignInError(SignInCode.DENIED if denied else SignInCode.ISSUER_ERROR, f"the issuer says: {said}")
        if not values.get("code"):
            raise SignInError(SignInCode.ISSUER_ERROR, "the browser came back without a code")
        return Return(values["code"])


def _page(status: str, title: str, text: str) -> bytes:
    body = (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>"
    ).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
