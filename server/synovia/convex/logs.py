"""What functions log while they run, for clients that are shown it in development."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MOST_LINES = 256
_LEVELS = {logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARN"}

_lines: ContextVar[list[str] | None] = ContextVar("lines", default=None)


class _Collector(logging.Handler):
    """Keeps what the application logs within ``collected``; what the server logs itself is not for clients."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        lines = _lines.get()
        if lines is not None and len(lines) < MOST_LINES and record.name.partition(".")[0] != "synovia":
            try:
                lines.append(line_of(record.levelno, record.getMessage()))
            except Exception:
                self.handleError(record)


_COLLECTOR = _Collector()


def line_of(level: int, text: str) -> str:
    """Write a line as the clients take it apart: the level, and the text as JavaScript would show it."""
    shown = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{_LEVELS.get(level, 'ERROR' if level > logging.WARNING else 'LOG')}] '{shown}'"


@contextmanager
def collected(*, wanted: bool) -> Iterator[list[str]]:
    """Collect what the application logs in tasks that are begun within the block; nothing unless it is wanted."""
    if not wanted:
        yield []
        return
    root = logging.getLogger()
    if _COLLECTOR not in root.handlers:
        root.addHandler(_COLLECTOR)
    lines: list[str] = []
    token = _lines.set(lines)
    try:
        yield lines
    finally:
        _lines.reset(token)
