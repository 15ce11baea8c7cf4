"""What functions have logged, as Convex clients write it to their console."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from synovia.functions.log_lines import LogLine

_LEVELS = {logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARN"}


def log_texts(lines: Iterable[LogLine]) -> tuple[str, ...]:
    """Write lines as the clients take them apart: the level, and the text as JavaScript would show it."""
    return tuple(_log_text(line) for line in lines)


def _log_text(line: LogLine) -> str:
    shown = line.text.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{_LEVELS.get(line.level, 'ERROR' if line.level > logging.WARNING else 'LOG')}] '{shown}'"
