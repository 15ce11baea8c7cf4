"""What functions log and print while they run: for operators, and in development for clients that show it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import Any, Final, NamedTuple, Self

MOST_LINES: Final = 256
"""Of one run; the rest is only in the log."""
MOST_CHARACTERS: Final = 16_384
"""Of all lines of one run."""
PRINTED: Final = logging.NOTSET
"""The level of what was printed."""


class LogLine(NamedTuple):
    """One record of Python's ``logging``, or a line that was printed."""

    level: int
    text: str


class LogLines(list[LogLine]):
    """The lines of one run, as many as are kept.

    Attributes:
        printed: What was printed of a line that has not ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.printed = ""
        self._left = MOST_CHARACTERS
        self._token: Token[LogLines | None] | None = None

    def __enter__(self) -> Self:
        self._token = _lines.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            _lines.reset(self._token)
            self._token = None
        if self.printed:
            self.end()

    def note(self, line: LogLine) -> None:
        """Keep a line if there is room, or what there is room for."""
        if len(self) < MOST_LINES and self._left > 0:
            self.append(line if len(line.text) <= self._left else LogLine(line.level, f"{line.text[: self._left]}…"))
            self._left -= len(line.text)

    def print(self, text: str) -> None:
        """Keep what was printed, line by line."""
        if self._left <= 0:
            return
        *lines, rest = (self.printed + text).split("\n")
        for line in lines:
            self.note(LogLine(PRINTED, line))
        self.printed = rest[:MOST_CHARACTERS]

    def end(self) -> None:
        """Keep a last line that was not ended."""
        if self.printed:
            self.print("\n")


_lines: ContextVar[LogLines | None] = ContextVar("lines", default=None)


class _Collector(logging.Handler):
    """Keeps what the application logs within ``collected``; what the server logs itself is not the application's."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if _lines.get() is not None and record.name.partition(".")[0] != "synovia":
            try:
                note([LogLine(record.levelno, record.getMessage())])
            except Exception:
                self.handleError(record)


class _Output:
    """Standard output as it is, of which ``collected`` keeps what it is given within."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, and keep it if a run is collected."""
        lines = _lines.get()
        if lines is not None:
            lines.print(text)
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_COLLECTOR = _Collector()


def note(lines: Sequence[LogLine]) -> None:
    """Add lines to those of the run that this is called in, if there is one."""
    kept = _lines.get()
    if kept is not None:
        for line in lines:
            kept.note(line)


def collected() -> LogLines:
    """Collect what the application logs and prints within a ``with`` block, and in tasks that are begun there.

    A block within another one keeps its lines to itself: whether they count is known when its run has.
    """
    _listen()
    return LogLines()


def _listen() -> None:
    """Hear of what is logged and printed; whoever runs this process may have put something else there meanwhile."""
    if _COLLECTOR not in logging.root.handlers:
        logging.root.addHandler(_COLLECTOR)
    if sys.stdout is not None and not isinstance(sys.stdout, _Output):
        sys.stdout = _Output(sys.stdout)
