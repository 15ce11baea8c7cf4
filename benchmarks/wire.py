"""The client's half of a WebSocket on a plain socket: as little work as possible, the same for every server."""

from __future__ import annotations

import base64
import os
import socket

_HEADER_LENGTH = {126: 4, 127: 10}


def connect(port: int, path: str, subprotocol: str | None = None) -> socket.socket:
    """Open a WebSocket on this machine; the socket is left blocking.

    Raises:
        ConnectionError: The server does not want it.
    """
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.sendall(handshake(port, path, subprotocol))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = opened.recv(1)  # not a byte beyond the headers
        if not part:
            raise ConnectionError(f"no WebSocket at {path}: {answer!r}")
        answer += part
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(f"no WebSocket at {path}: {answer[:80]!r}")
    return opened


def handshake(port: int, path: str, subprotocol: str | None = None) -> bytes:
    """Ask for a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def client_frame(payload: bytes, *, text: bool = False) -> bytes:
    """Make a frame, masked with zeros, which leave the payload as it is."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | length,))
    elif length < 1 << 16:
        head = b"\xfe" + length.to_bytes(2, "big")
    else:
        head = b"\xff" + length.to_bytes(8, "big")
    return (b"\x81" if text else b"\x82") + head + b"\0\0\0\0" + payload


class Frames:
    """Counts the server's frames in a stream of bytes.

    Attributes:
        count: Frames that have come whole.
        size: Their bytes with all that belongs to them on the wire, and those of the frame that is coming.
        last: The payload of the last frame that came in one piece.
    """

    __slots__ = ("_rest", "_skip", "count", "last", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self.last = b""
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> int:
        """Take what was received; tell how many frames it completed."""
        self.size += len(data)
        if self._rest:
            data, self._rest = self._rest + data, b""
        before, at, end = self.count, 0, len(data)
        if self._skip:
            if self._skip > end:
                self._skip -= end
                return 0
            at, self._skip = self._skip, 0
            self.count += 1
        while at < end:
            at = self._frame(data, at, end)
        return self.count - before

    def _frame(self, data: bytes, at: int, end: int) -> int:
        """Look at the frame that starts at ``at``; tell where the next one does."""
        length = data[at + 1] if end - at > 1 else 0
        start = at + _HEADER_LENGTH.get(length, 2)
        if end < start or end - at < 2:
            self._rest = data[at:]
            return end
        if length > 125:
            length = int.from_bytes(data[at + 2 : start], "big")
        if start + length > end:
            self._skip = start + length - end
            return end
        self.count += 1
        self.last = data[start : start + length]
        return start + length
