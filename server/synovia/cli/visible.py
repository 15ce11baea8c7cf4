"""Texts of other people in a log or at a terminal: they move no cursor, turn no line round, begin no line of their own."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline, what else ends a line, what changes how others are shown, half surrogate pairs."""


def visible(text: str) -> str:
    r"""Write what a terminal would obey, or could not show, as in JSON: ``\u001b``."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def set_in(text: str) -> str:
    """Give the same with all lines but the first set in, so that only what is reported begins a line."""
    return visible(text).replace("\n", "\n    ")
