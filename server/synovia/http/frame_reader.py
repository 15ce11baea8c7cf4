"""How the bytes of WebSocket frames are gathered: long ones are copied once, and none is read beyond its end; most messages
come whole, and are read without the library.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # the compiled one, if there is one
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

_BINARY: Final = 0x82
_MASKED: Final = 0x80
_TWO_BYTES: Final = 126
"""In place of a length: it follows in two bytes."""
_OPEN: Final = State.OPEN


class FrameReader(StreamReader):
    """As the library's own, which cuts each frame out of a buffer.

    Attributes:
        missing: So many bytes at least have to come before anything is made of those that are there.
        is_between_frames: Nothing has come of the next frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.missing = 0
        self.is_between_frames = False

    def at_eof(self) -> Generator[None, None, bool]:
        """Tell whether nothing more will come; the library asks before each frame."""
        self.is_between_frames = not self.buffer
        is_over = yield from super().at_eof()
        self.is_between_frames = False
        return is_over

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


def whole_message(connection: ServerProtocol, data: memoryview) -> tuple[bytes, int] | None:
    """Give the binary message that ``data`` begins with, and how many bytes it takes, if it is one frame of less than 64 KiB
    and all of it is there; else, and wherever anything else may be said of it, None: then the library reads it.

    It has to begin between two frames (RFC 6455, section 5.2).
    """
    size = len(data)
    if size < 6 or data[0] != _BINARY:
        return None
    length, begin = data[1] - _MASKED, 6
    if length == _TWO_BYTES:
        length, begin = data[2] << 8 | data[3], 8
    elif not 0 <= length < _TWO_BYTES:
        return None
    end, most = begin + length, connection.max_message_size
    if size < end or connection.state is not _OPEN or connection.current_size is not None:
        return None
    if most is not None and length > most:
        return None
    return apply_mask(data[begin:end], bytes(data[begin - 4 : begin])), end
