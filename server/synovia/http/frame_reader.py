"""How the bytes of WebSocket frames are gathered: long ones are copied once, and none is read beyond its end."""

from __future__ import annotations

from collections.abc import Generator

from websockets.server import ServerProtocol
from websockets.streams import StreamReader


class FrameReader(StreamReader):
    """As the library's own, which cuts each frame out of a buffer.

    Attributes:
        missing: So many bytes at least have to come before anything is made of those that are there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.missing = 0

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Give the next ``n`` bytes."""
        while (missing := n - len(self.buffer)) > 0 and not self.eof:
            self.missing = missing
            yield
        self.missing = 0
        if missing:
            return (yield from super().read_exact(n))
        whole, self.buffer = self.buffer, bytearray()
        return whole


def read_frames_by(connection: ServerProtocol, reader: FrameReader) -> None:
    """Have a connection to which nothing has come read by this reader."""
    connection.reader = reader
    connection.parser = connection.parse()
    next(connection.parser)
