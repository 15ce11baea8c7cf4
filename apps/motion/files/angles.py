"""From a file's numbers to degrees: what is told of the unit, held against what a knee can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motion.files.motion import Floats, MotionFileError, Remedy, Side
from motion.files.words import AngleUnit

LIMIT = 200.0
"""No knee bends further, in degrees; with straight as 180 neither."""
_MOST_BEYOND = 0.01
"""The part of the samples that may lie beyond the limit, as spikes of sensors do."""
_RADIANS_AT_MOST = 3.3
_LEAST_MOVEMENT, _LEAST_SAMPLES = 0.15, 10


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the unit, the surest first; None: it does not say.

    Attributes:
        caller: What the caller says.
        column: What the names of the columns, or the row of units below them, say.
        header: What the header says of the file.
        are_angles: The file says that these are joint angles.
        is_ours: Synovia has written the file.
        line: Where the header or the names stand, for errors.
    """

    caller: AngleUnit | None = None
    column: AngleUnit | None = None
    header: AngleUnit | None = None
    are_angles: bool = False
    is_ours: bool = False
    line: int | None = None

    @property
    def unit(self) -> AngleUnit | None:
        """The surest of them."""
        return self.caller or self.column or self.header


def in_degrees(knees: Mapping[Side, Floats], told: Told, path: Path) -> tuple[dict[Side, Floats], list[str]]:
    """Convert series of shape ``(n,)`` to degrees, with what to warn of.

    Raises:
        MotionFileError: These can be no angles of knees.
    """
    unit, warnings = told.unit or "degrees", list[str]()
    if _is_beyond(knees, unit):
        unit, warning = _judged(knees, unit, told, path)
        warnings.append(warning)
    elif (count := _count_beyond(knees, unit)) > 0:
        what = "sample lies" if count == 1 else "samples lie"
        warnings.append(f"{count:,} {what} beyond ±{LIMIT:g}°, further than a knee bends")
    elif told.unit is None and (range_ := _perhaps_radians(knees)) is not None:
        warnings.append(
            f"nothing tells the unit of the angles, which reach from {range_[0]:.3g} to {range_[1]:.3g}: they are taken "
            "as degrees; if they are radians, say so"
        )
    converted = {side: np.degrees(series) for side, series in knees.items()} if unit == "radians" else dict(knees)
    return converted, warnings


def _judged(knees: Mapping[Side, Floats], unit: AngleUnit, told: Told, path: Path) -> tuple[AngleUnit, str]:
    """Decide on values that are too large: the unit to take, with a warning, or an error."""
    peak = _peak(knees, unit)
    if told.caller or told.is_ours or (told.column == "degrees" and unit == "degrees"):
        return unit, f"the angles reach {peak:,.6g}°, further than a knee bends"
    if unit == "radians" and not _is_beyond(knees, "degrees"):
        if told.are_angles and told.column is None:
            raw = _peak(knees, "degrees")
            return "degrees", (
                f"the header says radians, but the values reach {raw:.4g}, which no knee does in radians: "
                "they are taken as degrees"
            )
        remedies: tuple[Remedy, ...] = ("angle_unit",)
        reason = f"taken as radians, as the file says, the angles reach {peak:,.6g}°; if they are degrees, say so"
        raise MotionFileError(path, told.line, reason, remedies=remedies)
    reason = (
        f"the values reach {peak:,.6g}°, further than a knee bends: these are speeds, moments or something else "
        "rather than angles"
    )
    raise MotionFileError(path, told.line, reason)


def _sizes(knees: Mapping[Side, Floats], unit: AngleUnit) -> Floats:
    values = np.abs(np.concatenate(list(knees.values())))
    values = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        return np.asarray(np.degrees(values) if unit == "radians" else values)


def _count_beyond(knees: Mapping[Side, Floats], unit: AngleUnit) -> int:
    return int(np.count_nonzero(_sizes(knees, unit) > LIMIT))


def _is_beyond(knees: Mapping[Side, Floats], unit: AngleUnit) -> bool:
    sizes = _sizes(knees, unit)
    return len(sizes) > 0 and int(np.count_nonzero(sizes > LIMIT)) > _MOST_BEYOND * len(sizes)


def _peak(knees: Mapping[Side, Floats], unit: AngleUnit) -> float:
    return float(_sizes(knees, unit).max())


def _perhaps_radians(knees: Mapping[Side, Floats]) -> tuple[float, float] | None:
    """Give the least and the largest of values that move as a knee does in radians."""
    values = np.concatenate(list(knees.values()))
    values = values[np.isfinite(values)]
    if len(values) < _LEAST_SAMPLES * len(knees):
        return None
    low, high = float(values.min()), float(values.max())
    moves = high - low >= _LEAST_MOVEMENT and max(-low, high) <= _RADIANS_AT_MOST
    return (low, high) if moves else None
