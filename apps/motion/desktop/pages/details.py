"""When a recording was made, how long it is, and how many samples it has."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.texts import text
from motion.desktop.words.naming import Row, sides_of
from motion.desktop.words.times import date_and_time, duration, hertz


class Details(QFrame):
    """The facts of a recording."""

    def __init__(self, recording: Row) -> None:
        super().__init__()
        self.setObjectName("card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(6)
        layout.addWidget(text("Details", "section"))
        layout.addSpacing(4)
        for name, value in _facts(recording):
            label = text(value)
            label.setStyleSheet("font-size: 13px;")
            layout.addLayout(row(text(name, "small"), None, label))


def _facts(recording: Row) -> list[tuple[str, str]]:
    sides = sides_of(recording)
    of = "a side" if len(sides) > 1 else f"of the {sides[0]} knee"
    return [
        ("Recorded", date_and_time(recording["startTime"])),
        ("Duration", duration(recording["durationMs"])),
        ("Sample rate", hertz(recording["sampleRate"])),
        ("Samples", f"{recording['sampleCount']:,} {of}"),
        ("Saved", date_and_time(recording["createdAt"])),
    ]
