"""Ending a session at the server: one HTTP request beside the socket."""

from __future__ import annotations

from http.client import HTTPException

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
    url = beside_socket(dialer.url, "/auth/sign-out")
    for _ in range(_ATTEMPTS):
        try:
            answer = await dialer.http.post_token(url, token)
        except (OSError, HTTPException) as error:
            raise SynoviaError(f"the session could not be ended at the server: {error!r}") from error
        if answer.status in (204, 401):  # 401: there is no such session any more
            return
        if answer.status != 429 or not 0 <= answer.retry_after <= LONGEST_WAIT:
            break
        await dialer.clock.sleep(answer.retry_after)
    raise SynoviaError(f"the session could not be ended at the server (HTTP status {answer.status})")
