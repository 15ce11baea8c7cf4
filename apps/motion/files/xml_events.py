"""XML from anybody as events: no entities, and bounds on what is nested, counted and held in memory."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Protocol
from xml.parsers import expat

from motion.files.motion import MotionFileError

CHUNK_BYTES = 64 << 10
MAX_TOKEN_BYTES = 1 << 20
"""A tag longer than this is refused: expat looks at one from its beginning again with each chunk."""
MAX_DEPTH = 64
MAX_ELEMENTS = 20_000_000


class Enough(Exception):
    """Raised by a handler that has seen what it wants."""


class Handler(Protocol):
    """What is told of a document."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element; its name is without a prefix."""

    def end(self, name: str) -> None:
        """End an element."""

    def text(self, data: str) -> None:
        """Give a piece of text."""


def read_events(stream: IO[bytes], handler: Handler, path: Path) -> None:
    """Tell a handler of a document from its beginning to its end, or until it has ``Enough``.

    Raises:
        MotionFileError: It is not well formed, defines entities, or goes beyond the bounds.
    """
    guard = _Guard(handler, path)
    try:
        while chunk := stream.read(CHUNK_BYTES):
            guard.feed(chunk)
        guard.finish()
    except Enough:
        return
    except expat.ExpatError as error:
        raise MotionFileError(path, error.lineno, f"the XML is damaged: {expat.errors.messages[error.code]}") from None
    except (LookupError, ValueError):
        raise MotionFileError(path, 1, "the XML says an encoding that is not known; save the file as UTF-8") from None


class _Guard:
    """An expat parser that trusts nobody."""

    def __init__(self, handler: Handler, path: Path) -> None:
        self._handler = handler
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = handler.text
        self._parser.EntityDeclHandler = self._entity
        self._fed = self._depth = self._count = 0

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise self._refused(f"the XML has a tag longer than {MAX_TOKEN_BYTES:,} bytes")

    def finish(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise self._refused("the XML is nested too deeply or has too many elements")
        self._handler.start(name.rpartition(":")[2], attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(name.rpartition(":")[2])

    def _entity(self, *_: Any) -> None:
        raise self._refused("the XML defines entities, which no motion file needs")

    def _refused(self, reason: str) -> MotionFileError:
        return MotionFileError(self._path, self._parser.CurrentLineNumber, reason)
