"""Writing a recording to a motion file, away from the window's thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from motion.desktop.models.worker import in_background
from motion.desktop.words.naming import Row, sides_of, title_of
from motion.files import Motion, write_motion
from synovia_qt import SynoviaClient


def file_name_of(recording: Row) -> str:
    """Give the day and the title, of letters that every file system takes."""
    day = datetime.fromtimestamp(recording["startTime"] / 1000, UTC).date().isoformat()
    title = re.sub(r"[^\w]+", "-", title_of(recording)).strip("-")[:60]
    return f"{day}-{title or 'recording'}"


class Export(QObject):
    """Fetches the samples of a recording and writes them.

    Args:
        client: Where they are fetched.
        recording: Whose.
        path: Where to; its ending says what kind of file it becomes.
        done: Called with what went wrong; None: nothing.
    """

    def __init__(
        self, client: SynoviaClient, recording: Row, path: Path, done: Callable[[BaseException | None], object]
    ) -> None:
        super().__init__(client)
        self._recording, self._path, self._done = recording, path, done
        self._knees: dict[str, Any] = {}
        self._wanted = sides_of(recording)
        for side in self._wanted:
            call = client.array(recording[f"{side}Knee"], timeout=None)
            call.succeeded.connect(lambda array, side=side: self._came(side, np.asarray(array)))
            call.failed.connect(self._end)

    def _came(self, side: str, samples: Any) -> None:
        self._knees[side] = samples
        if len(self._knees) < len(self._wanted):
            return
        rate = float(self._recording["sampleRate"])
        motion = Motion(self._knees.get("left"), self._knees.get("right"), rate, name=title_of(self._recording))
        in_background(self, lambda: write_motion(self._path, motion), lambda _: self._end(None), self._end)

    def _end(self, error: BaseException | None) -> None:
        if self._wanted:
            self._wanted = []
            self._done(error)
            self.deleteLater()
