"""Where in a program a call was made, for errors that come up elsewhere or later."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

_OWN = str(Path(__file__).parent)


def call_site() -> str:
    """Give file and line of the newest frame outside of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def note_call_site(error: BaseException, site: str) -> None:
    """Say in an error's notes where the call was made; once, however many tell of it."""
    note = f"the call was made at {site}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
