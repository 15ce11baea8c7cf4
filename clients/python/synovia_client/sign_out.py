"""Ending a session at the server: one HTTP request beside the socket."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
import urllib.error
import urllib.request
from typing import Literal

from synovia_client.address import beside_socket
from synovia_client.dialer import Dialer
from synovia_client.errors import SynoviaError
from synovia_client.throttle import LONGEST_WAIT

_ATTEMPTS = 3


async def end_session(dialer: Dialer, token: str) -> None:
    """Ask the server to take no token of this session any more.

    Raises:
        SynoviaError: It cannot be reached, or does not do so.
    """
    for _ in range(_ATTEMPTS):
        status, wait = await asyncio.to_thread(_post, dialer, token)
        if status in (204, 401):  # 401: there is no such session any more
            return
        if status != 429 or not 0 <= wait <= LONGEST_WAIT:
            break
        await dialer.clock.sleep(wait)
    raise SynoviaError(f"the session could not be ended at the server (HTTP status {status})")


def _post(dialer: Dialer, token: str) -> tuple[int, float]:
    """Give the status of the answer, and for how many seconds it asks to wait."""
    url = beside_socket(dialer.url, "/auth/sign-out")
    request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(_proxies(dialer.proxy), _NoRedirects(), _https(dialer.ssl))
    try:
        with opener.open(request, timeout=dialer.timeouts.connect) as response:
            return response.status, -1.0
    except urllib.error.HTTPError as error:
        with error:
            asked = error.headers.get("Retry-After", "")
            return error.code, float(asked) if asked.isascii() and asked.isdigit() else -1.0
    except OSError as error:
        raise SynoviaError(f"the session could not be ended at the server: {error}") from error


def _proxies(proxy: str | Literal[True] | None) -> urllib.request.ProxyHandler:
    if proxy is True:
        return urllib.request.ProxyHandler()
    return urllib.request.ProxyHandler({} if proxy is None else {"http": proxy, "https": proxy})


def _https(context: ssl_module.SSLContext | None) -> urllib.request.HTTPSHandler:
    return urllib.request.HTTPSHandler(context=context)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token goes to the hub and to nobody else."""

    def redirect_request(self, *args: object) -> None:
        return None
