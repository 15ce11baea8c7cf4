"""What functions have logged and printed, as operators are shown it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from synovia.functions.log_lines import PRINTED, LogLine
from synovia.schema import Model

MOST_CHARACTERS: Final = 1_000
"""Of a line."""
_LEVELS: Final = {PRINTED: "print", 10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}


class LogLineShown(Model):
    """A line that a function has logged, or printed (``print``)."""

    level: str
    text: str


def lines_shown(lines: Iterable[LogLine]) -> list[LogLineShown]:
    """Show lines."""
    return [
        LogLineShown(level=_LEVELS.get(line.level, str(line.level)), text=line.text[:MOST_CHARACTERS]) for line in lines
    ]
