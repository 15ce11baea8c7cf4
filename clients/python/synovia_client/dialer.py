"""Opening the WebSocket."""

from __future__ import annotations

import socket
import ssl as ssl_module
from dataclasses import dataclass
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, NegotiationError, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from synovia_client.clock import Clock
from synovia_client.http_requests import HttpRequests
from synovia_client.settings import Timeouts
from synovia_protocol.messages import SUBPROTOCOL

_UNSENT_BYTES = 128 << 10
_PASSING_STATUS = frozenset({408, 425, 429})


class DialFailed(Exception):
    """The WebSocket could not be opened.

    Args:
        lasting: Trying again will most likely not help.
        retry_after: The server asked to wait this many seconds.
    """

    def __init__(self, reason: str, *, lasting: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
        self.retry_after = retry_after


@dataclass(frozen=True)
class Dialer:
    """Knows how to open the WebSocket to one address.

    Attributes:
        url: The whole address.
        ssl: A TLS context; None: the system's default for ``wss``.
        proxy: The address of a proxy, True for the system's settings, None for none.
        max_frame_bytes: The largest frame to accept.
    """

    url: str
    timeouts: Timeouts
    clock: Clock
    ssl: ssl_module.SSLContext | None = None
    proxy: str | Literal[True] | None = True
    max_frame_bytes: int = 64 << 20

    @property
    def http(self) -> HttpRequests:
        """How to ask the same hub beside the socket."""
        return HttpRequests(self.timeouts.connect, self.ssl, self.proxy)

    async def dial(self) -> ClientConnection:
        """Open the WebSocket; DialFailed when that does not work, or not in time."""
        try:
            async with self.clock.deadline(self.timeouts.connect):
                websocket = await self._connect()
        except TimeoutError:
            raise DialFailed(f"{self.url} did not answer within {self.timeouts.connect:g} s") from None
        except InvalidStatus as error:
            raise _refused(self.url, error.response) from error
        except NegotiationError as error:
            raise DialFailed(f"{self.url} does not speak {SUBPROTOCOL}: {error}", lasting=True) from error
        except (OSError, WebSocketException, ValueError) as error:  # the last of a redirect to what is no address
            raise DialFailed(f"{self.url} cannot be reached: {error or type(error).__name__}") from error
        if websocket.subprotocol != SUBPROTOCOL:
            await websocket.close()
            raise DialFailed(f"{self.url} does not speak {SUBPROTOCOL}", lasting=True)
        _keep_kernel_buffer_short(websocket)
        return websocket

    async def _connect(self) -> ClientConnection:
        options: dict[str, Any] = {"ssl": self.ssl} if self.ssl is not None else {}
        return await connect(
            self.url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            proxy=self.proxy,
            open_timeout=None,
            ping_interval=None,
            close_timeout=self.timeouts.close,
            max_size=self.max_frame_bytes,
            **options,
        )


def _refused(url: str, response: Response) -> DialFailed:
    status = response.status_code
    lasting = 400 <= status < 500 and status not in _PASSING_STATUS
    hint = "; is there a Synovia hub at this path?" if status in (404, 405, 426) else ""
    text = f"{url} answered with HTTP status {status}{hint}"
    return DialFailed(text, lasting=lasting, retry_after=_seconds(response.headers.get_all("Retry-After")))


def _seconds(headers: list[str]) -> float:
    """Read a Retry-After in seconds; 0 for a date, or nothing."""
    text = "".join(headers)
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _keep_kernel_buffer_short(websocket: ClientConnection) -> None:
    """Let the kernel hold little that is not sent yet, so that a small message overtakes an upload on a slow line."""
    raw = websocket.transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if raw is not None and option is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
        raw.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)
