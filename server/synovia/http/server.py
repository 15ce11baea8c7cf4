"""Uvicorn, with what graceful stops and slow clients need of it."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from synovia.app import Synovia
from synovia.sync.output import EXTENSION

_LET_GO_SECONDS = 5.0
_JOINED_BYTES = 16_384
"""Below this, joining head and frame costs less than handing both over."""


class SyncProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that offers itself to the application as its ``Output``.

    Frames of the server are neither masked nor compressed, so what is written is the frame with a short head; the protocol
    object that uvicorn drives keeps no state about them.
    """

    async def run_asgi(self) -> None:
        """Run the application, offering it this output."""
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    @property
    def is_writable(self) -> bool:
        """Whether a frame would be on its way at once, or at least not wait behind much."""
        return self.writable.is_set()

    def write(self, frame: bytes) -> None:
        """Send a binary frame; nothing happens if the connection is closing."""
        if self.conn.state is not State.OPEN or self.close_sent:
            return
        head = _head(len(frame))
        if len(frame) < _JOINED_BYTES:
            self.transport.write(head + frame)
        else:
            self.transport.writelines((head, frame))

    async def drain(self) -> None:
        """Wait until it is writable again; OSError if the peer has gone."""
        await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected

    def buffered(self) -> int:
        """Tell how many bytes wait for the peer."""
        return self.transport.get_write_buffer_size()

    def cut(self, frame: bytes, code: int, reason: str) -> None:
        """Add a last frame and the close frame to what waits, and let go of the connection soon, sent or not."""
        if self.close_sent or self.conn.state is not State.OPEN:
            self.transport.abort()
            return
        self.write(frame)
        self.conn.send_close(code, reason)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self.loop.call_later(_LET_GO_SECONDS, self.transport.abort)


def _give_up() -> None:
    logging.getLogger("synovia").error("the server has not stopped in time: ending the process")
    os._exit(1)


def _head(length: int) -> bytes:
    """Give the head of an unmasked binary frame (RFC 6455, section 5.2)."""
    if length < 126:
        return bytes((0x82, length))
    return struct.pack("!BBH", 0x82, 126, length) if length < 65536 else struct.pack("!BBQ", 0x82, 127, length)


class Server(uvicorn.Server):
    """Sends the clients away, with a time to come back, before the sockets are shut.

    Args:
        app: A server that has been started; stopping it entirely stays with the caller.
    """

    def __init__(self, config: uvicorn.Config, app: Synovia) -> None:
        super().__init__(config)
        self._app = app
        self._deadline: threading.Timer | None = None
        self.exits_in_time = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; with ``exits_in_time``, end the process when that has taken too long, whatever holds it up."""
        super().handle_exit(sig, frame)
        if self.exits_in_time and self._deadline is None:
            self._deadline = threading.Timer(self._app.settings.limits.stop_timeout, _give_up)
            self._deadline.daemon = True
            self._deadline.start()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Let SIGINT and SIGTERM stop the server, and do not raise them again: what comes after has to run too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking connections, let the hub finish, then shut what is left."""
        for server in self.servers:
            server.close()
        await self._app.hub.stop()
        await super().shutdown(sockets)


def make_server(app: Synovia, **options: Any) -> Server:
    """Set uvicorn up for an application that the caller starts and stops.

    Args:
        options: Further options of ``uvicorn.Config``.
    """
    settings = app.settings
    defaults: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "lifespan": "off",
        "ws": SyncProtocol,
        "ws_max_size": settings.limits.max_frame_bytes,
        "ws_per_message_deflate": False,
        "ws_ping_interval": None,
        "ws_ping_timeout": None,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": max(1, int(settings.limits.farewell_timeout)),
        "server_header": False,
        "date_header": False,
    }
    config = uvicorn.Config(app, **{**defaults, **options})
    return Server(config, app)


class AddressError(Exception):
    """The server cannot listen there; the message says why."""


def listen(host: str, port: int, *, share: bool = False) -> socket.socket:
    """Open a listening socket; port 0 takes any free one.

    Args:
        share: Let others that share, too, listen at the same address; the kernel spreads connections among them.

    Raises:
        AddressError: Another program listens there, or there is no such address here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise AddressError(f"{host}: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressError(
                f"another program listens on {host}:{port} already; choose another with --port"
            ) from None
        raise AddressError(f"{host}:{port}: {error.strerror}") from None
    return listener
