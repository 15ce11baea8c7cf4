"""Small HTTP requests beside the socket: to the hub, and to issuers when somebody signs in. No redirect is followed."""

from __future__ import annotations

import asyncio
import json
import ssl as ssl_module
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPMessage
from typing import IO, Any, Literal

MOST_BYTES = 256 << 10
"""What an answer may have; more is not read."""


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        retry_after: Seconds that the other side asks to wait; -1 if it says nothing.
        headers: By their names in lower case.
    """

    status: int
    body: bytes
    retry_after: float = -1.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class HttpRequests:
    """Makes requests, each on a thread.

    Attributes:
        timeout: Seconds for an answer.
        ssl: A TLS context; None: the system's default.
        proxy: The address of a proxy, True for the system's settings, None for none.
    """

    timeout: float
    ssl: ssl_module.SSLContext | None = None
    proxy: str | Literal[True] | None = True

    async def get(self, url: str) -> Answer:
        """Get a document; OSError if nobody answers in time."""
        return await self._ask(urllib.request.Request(url, headers={"Accept": "application/json"}))

    async def post_json(self, url: str, value: Any) -> Answer:
        """Send JSON; OSError if nobody answers in time."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return await self._ask(urllib.request.Request(url, json.dumps(value).encode(), headers))

    async def post_form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """Send a form; OSError if nobody answers in time."""
        body = urllib.parse.urlencode(fields).encode()
        return await self._ask(urllib.request.Request(url, body, {"Accept": "application/json"}))

    async def post_token(self, url: str, token: str) -> Answer:
        """Send a token as a bearer, and nothing else; OSError if nobody answers in time."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self._ask(urllib.request.Request(url, method="POST", headers=headers))

    async def send(self, method: str, url: str, content: Any, headers: Mapping[str, str]) -> Answer:
        """Send bytes, or anything else as JSON, or nothing; OSError if nobody answers in time."""
        body, sent = content, {"Accept": "application/json", **headers}
        if content is not None and not isinstance(content, bytes):
            body, sent = json.dumps(content).encode(), {"Content-Type": "application/json", **sent}
        return await self._ask(urllib.request.Request(url, body, sent, method=method))

    async def _ask(self, request: urllib.request.Request) -> Answer:
        async with asyncio.timeout(self.timeout):  # the thread's own limit is for each read
            return await asyncio.to_thread(self._open, request)

    def _open(self, request: urllib.request.Request) -> Answer:
        opener = urllib.request.build_opener(
            _proxies(self.proxy), _NoRedirects(), urllib.request.HTTPSHandler(context=self.ssl)
        )
        try:
            with opener.open(request, timeout=self.timeout) as response:
                return Answer(response.status, response.read(MOST_BYTES), headers=_headers(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                asked = error.headers.get("Retry-After", "")
                wait = float(asked) if asked.isascii() and asked.isdigit() else -1.0
                return Answer(error.code, error.read(MOST_BYTES), wait, _headers(error.headers))


def _headers(message: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in message.items()}


def _proxies(proxy: str | Literal[True] | None) -> urllib.request.ProxyHandler:
    if proxy is True:
        return urllib.request.ProxyHandler()
    return urllib.request.ProxyHandler({} if proxy is None else {"http": proxy, "https": proxy})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token goes to whom it is meant for and to nobody else: a redirect is an answer, whatever address it names."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> None:
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
