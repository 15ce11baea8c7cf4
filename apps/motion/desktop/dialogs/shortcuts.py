"""The keys of the desk."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.texts import text
from motion.desktop.windows.places import PLACES

EVERYWHERE = (
    ("↑ ↓", "Move through a list"),
    ("Enter", "Open what is selected"),
    ("F2", "Rename in the list"),
    ("Esc", "Close, or leave a field as it was"),
    ("/", "Search"),
    ("I", "Import files"),
    ("F11", "Full screen"),
    ("?", "This overview"),
)
PLOT = (
    ("+ −", "Zoom in and out"),
    ("← →", "Move along the recording"),
    ("0", "Show all of it"),
    ("Drag", "Zoom to a range"),
    ("Wheel", "Zoom around the pointer"),
)


class ShortcutsDialog(QDialog):
    """Lists them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setModal(True)
        title = text("Keyboard shortcuts", "section")
        title.setStyleSheet("font-size: 17px;")
        groups = QHBoxLayout()
        groups.setSpacing(36)
        ways = [(f"G {place.key}", place.label) for place in PLACES]
        for name, keys in (("Everywhere", EVERYWHERE), ("In the plot", PLOT), ("Go to", ways)):
            groups.addLayout(_group(name, keys))
        close = Button("Close", "quiet", run=self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(16)
        layout.addWidget(title)
        layout.addLayout(groups)
        layout.addLayout(row(None, close))


def _group(name: str, keys: Sequence[tuple[str, str]]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addWidget(text(name, "label"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(8)
    for number, (key, words) in enumerate(keys):
        caps = row(*(text(part, "key") for part in key.split()), None, spacing=4)
        grid.addLayout(caps, number, 0)
        grid.addWidget(text(words, "small"), number, 1)
    column.addLayout(grid)
    column.addStretch(1)
    return column
