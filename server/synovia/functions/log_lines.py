"""What functions log while they run, for clients that are shown it in development."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

MOST_LINES = 256
"""Of one run; the rest is only in the log."""


class LogLine(NamedTuple):
    """One record of Python's ``logging``."""

    level: int
    text: str


_lines: ContextVar[list[LogLine] | None] = ContextVar("lines", default=None)


class _Collector(logging.Handler):
    """Keeps what the application logs within ``collected``; what the server logs itself is not for clients."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if _lines.get() is not None and record.name.partition(".")[0] != "synovia":
            try:
                note([LogLine(record.levelno, record.getMessage())])
            except Exception:
                self.handleError(record)


_COLLECTOR = _Collector()


def note(lines: Sequence[LogLine]) -> None:
    """Add lines to those of the run that this is called in, if they are collected."""
    kept = _lines.get()
    if kept is not None:
        kept.extend(lines[: MOST_LINES - len(kept)])


@contextmanager
def collected(*, wanted: bool) -> Iterator[list[LogLine]]:
    """Collect what the application logs within the block, and in tasks that are begun there; nothing unless it is wanted.

    A block within another one keeps its lines to itself: whether they count is known when its run has.
    """
    if not wanted:
        yield []
        return
    root = logging.getLogger()
    if _COLLECTOR not in root.handlers:
        root.addHandler(_COLLECTOR)
    lines: list[LogLine] = []
    token = _lines.set(lines)
    try:
        yield lines
    finally:
        _lines.reset(token)
