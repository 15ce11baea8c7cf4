"""The type of the desk: the system's own family, and one scale of sizes in logical pixels."""

from __future__ import annotations

import sys

from PySide6.QtGui import QFont, QFontDatabase

FAMILIES = {
    "win32": ("Segoe UI Variable Text", "Segoe UI"),
    "darwin": (".AppleSystemUIFont", "Helvetica Neue"),
}
OTHERS = ("Inter", "Roboto", "Noto Sans", "Liberation Sans", "DejaVu Sans")
MONO = ("SF Mono", "Cascadia Mono", "Liberation Mono", "DejaVu Sans Mono", "monospace")

SMALL, NORMAL, TITLE, HEADING = 12, 14, 20, 22
SEMIBOLD = QFont.Weight.DemiBold


def family() -> str:
    """Give the family that texts are set in: the first of the desk's that this machine has."""
    here = set(QFontDatabase.families())
    wanted = (*FAMILIES.get(sys.platform, ()), *OTHERS)
    return next((name for name in wanted if name in here), QFont().defaultFamily())


def font(size: int = NORMAL, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Make a font whose figures are all of one width, so that numbers that change do not jump."""
    made = QFont(family())
    made.setPixelSize(size)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def body_font() -> QFont:
    """Give the font of everything that says nothing else."""
    return font()
