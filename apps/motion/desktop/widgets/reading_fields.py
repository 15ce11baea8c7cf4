"""How a file is to be read, where it does not tell."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.models.imports import Reading
from motion.desktop.widgets.fields import Choice, Field, Input

COLUMNS = (("left", "Left knee"), ("right", "Right knee"), ("time", "Time"))
UNITS = (
    ("", "As the file tells"),
    ("s", "Seconds"),
    ("ms", "Milliseconds"),
    ("us", "Microseconds"),
    ("ns", "Nanoseconds"),
    ("min", "Minutes"),
    ("days", "Days"),
)
ANGLES = (("", "As the file tells"), ("degrees", "Degrees"), ("radians", "Radians"))
GAPS = (("", "Refuse files with gaps"), ("fill", "Interpolate over gaps"))


class ReadingFields(QWidget):
    """Fields for what may be said.

    Args:
        remedies: What is asked for, as ``read_motion`` calls it.
        columns: The names of the columns to choose from.
    """

    def __init__(self, remedies: Collection[str], columns: Collection[str] = ()) -> None:
        super().__init__()
        self._remedies = remedies
        names = [("", "As its name tells"), *((name, name) for name in dict.fromkeys(columns))]
        self.columns = {which: Choice(names) for which, _ in COLUMNS}
        self.rate = Input(placeholder="100", most=12)
        self.unit, self.angle = Choice(UNITS), Choice(ANGLES)
        self.gaps = Choice(GAPS, "fill" if list(remedies) == ["fill_gaps"] else "")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        if columns:
            for which, label in COLUMNS:
                self._add("columns", Field(label, self.columns[which]))
        self._add("sample_rate", Field("Sample rate", self.rate, "In hertz, for files without times."))
        self._add("time_unit", Field("Unit of the times", self.unit))
        self._add("angle_unit", Field("Unit of the angles", self.angle))
        self._add("fill_gaps", Field("Missing samples", self.gaps))

    def _add(self, remedy: str, shown: Field) -> None:
        if remedy in self._remedies:
            self._layout.addWidget(shown)
        else:
            shown.setParent(self)
            shown.hide()

    @property
    def reading(self) -> Reading:
        """What is said."""
        try:
            rate: float | None = float(self.rate.text().replace(",", "."))
        except ValueError:
            rate = None
        angle = self.angle.value
        return Reading(
            left_column=self.columns["left"].value or None,
            right_column=self.columns["right"].value or None,
            time_column=self.columns["time"].value or None,
            time_unit=self.unit.value or None,
            sample_rate=rate if rate is not None and 0 < rate <= 1_000_000 else None,
            radians=None if not angle else angle == "radians",
            fill_gaps=self.gaps.value == "fill",
        )
