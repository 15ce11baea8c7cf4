"""The colours of the desk, for light and dark; they are those of the page's ``tokens.css``."""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtGui import QColor


@dataclass(frozen=True)
class Palette:
    """One colour for each use, as Qt writes it: ``#rrggbb`` or ``#aarrggbb``."""

    ground: str
    surface: str
    raised: str
    sunken: str
    line: str
    line_strong: str
    grid: str
    ink: str
    ink_2: str
    ink_3: str
    accent: str
    accent_strong: str
    accent_ink: str
    accent_soft: str
    hover: str
    left: str
    right: str
    left_band: str
    right_band: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    toast: str
    toast_ink: str
    toast_bad: str
    toast_good: str

    def colour(self, name: str) -> QColor:
        """Give a colour by the name of its use."""
        return QColor(getattr(self, name))

    @property
    def by_name(self) -> dict[str, str]:
        """The colours by their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


LIGHT = Palette(
    ground="#eef2f1",
    surface="#ffffff",
    raised="#ffffff",
    sunken="#f6f8f8",
    line="#e0e7e5",
    line_strong="#c3cfcc",
    grid="#edf1f0",
    ink="#10201f",
    ink_2="#425453",
    ink_3="#5a6c6b",
    accent="#0d5c63",
    accent_strong="#08464c",
    accent_ink="#ffffff",
    accent_soft="#e0efee",
    hover="#0f0d3c3c",
    left="#d2452d",
    right="#1f66cc",
    left_band="#52d2452d",
    right_band="#521f66cc",
    good="#1a7347",
    good_soft="#e1f3e9",
    warn="#8a5a00",
    warn_soft="#fbf0d9",
    bad="#b3261e",
    bad_soft="#fbe8e6",
    toast="#16292a",
    toast_ink="#f1f7f6",
    toast_bad="#ff9a8d",
    toast_good="#7fdcb0",
)

DARK = Palette(
    ground="#0c1213",
    surface="#141c1e",
    raised="#1b2527",
    sunken="#10171a",
    line="#263235",
    line_strong="#3a494c",
    grid="#1f2a2d",
    ink="#e9f0ef",
    ink_2="#b4c3c2",
    ink_3="#98a9a8",
    accent="#5fc4c3",
    accent_strong="#86d8d6",
    accent_ink="#04282a",
    accent_soft="#15373a",
    hover="#12dcffff",
    left="#ff8f77",
    right="#79b0ff",
    left_band="#57ff8f77",
    right_band="#5779b0ff",
    good="#5fd39a",
    good_soft="#14342a",
    warn="#f0bd5b",
    warn_soft="#3a2e12",
    bad="#ff9a91",
    bad_soft="#3f1e1c",
    toast="#e8f0ef",
    toast_ink="#12201f",
    toast_bad="#b3261e",
    toast_good="#1a7347",
)

HUES = (178, 212, 258, 326, 24, 88)
"""Of the discs with people's initials."""


def disc_colours(name: str, *, is_dark: bool) -> tuple[QColor, QColor]:
    """Give the ground and the ink of somebody's disc: the same for the same name."""
    hue = HUES[sum(map(ord, name)) % len(HUES)] / 360
    if is_dark:
        return QColor.fromHslF(hue, 0.24, 0.26), QColor.fromHslF(hue, 0.45, 0.84)
    return QColor.fromHslF(hue, 0.32, 0.88), QColor.fromHslF(hue, 0.45, 0.26)
