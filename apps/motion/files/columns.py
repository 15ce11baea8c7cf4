"""Which column is which: names of times and knees as programs write them, or as the caller tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motion.files.motion import SIDES, Side
from motion.files.words import (
    ANGLE_UNIT_WORDS,
    TIME_UNIT_WORDS,
    AngleUnit,
    TimeUnit,
    angle_unit,
    time_unit,
    words_of,
)

_SIDES: dict[str, Side] = {
    "l": "left", "lt": "left", "left": "left",
    "r": "right", "rt": "right", "right": "right",
}  # fmt: skip
_ANGLE = {"angle", "angles", "flexion", "flex", "kinematic", "kinematics"}
"""One of these says that a first component, x, is flexion; so Vicon, Visual3D and C3D files have it."""
_BESIDE = {"joint", "joints", "value", "sagittal", "noraxon", "myo", "motion", "myomotion", "leg"}
_TIME = {"time", "t", "timestamp", "timestamps", "stamp", "elapsed"}
_FRAME = {"frame", "frames", "sample", "samples", "item", "index"}
_BESIDE_FRAME = {"number", "no", "nr", "count", "id"}


class ColumnError(Exception):
    """No column, or more than one, can be what is looked for."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns to read, where the caller names them; None: find it by its name."""

    time: str | None = None
    left: str | None = None
    right: str | None = None

    def of(self, side: Side) -> str | None:
        """Give the name of a knee's column."""
        return self.left if side == "left" else self.right


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions in a row; None: there is no such column. One knee is there at least.

    ``frame`` numbers the samples. The units are what the names of the columns tell, or None.
    """

    left: int | None
    right: int | None
    time: int | None = None
    frame: int | None = None
    time_unit: TimeUnit | None = None
    angle_unit: AngleUnit | None = None

    def of(self, side: Side) -> int | None:
        """Give the position of a knee."""
        return self.left if side == "left" else self.right


def choose(labels: Sequence[str], names: ColumnNames) -> Columns:
    """Find the time and the knee angles among the column names; one knee may be missing.

    Raises:
        ColumnError: Both knees are missing, a column is there twice, or is meant to be two things at once.
    """
    left, right = (_knee(labels, side, names.of(side)) for side in SIDES)
    if left is None and right is None:
        raise ColumnError(f"no column is the left or the right knee's angle among {listed(labels)}; name it")
    time = _time(labels, names.time)
    taken = [at for at in (left, right, time) if at is not None]
    if len(set(taken)) < len(taken):
        twice = next(at for at in taken if taken.count(at) > 1)
        raise ColumnError(f"one column cannot be two of time, left and right knee: {labels[twice]!r}")
    told = None if time is None else time_unit(set(words_of(labels[time])))
    return Columns(left, right, time, _frame(labels), told, _angle_unit([labels[at] for at in taken if at != time]))


def has_knee(labels: Sequence[str], names: ColumnNames) -> bool:
    """Tell whether a row of names has the columns that are asked for, or one that is a knee's angle."""
    named = [name for name in (names.left, names.right) if name is not None]
    if named:
        known = {label.casefold() for label in labels}
        return all(name.casefold() in known for name in named)
    return any(knee_side(label) is not None for label in labels)


def _knee(labels: Sequence[str], side: Side, name: str | None) -> int | None:
    if name is not None:
        return _named(labels, name)
    found = [at for at, label in enumerate(labels) if knee_side(label) == side]
    if len(found) > 1:
        raise ColumnError(f"the {side} knee's angle could be any of {listed([labels[at] for at in found])}; name one")
    return found[0] if found else None


def _time(labels: Sequence[str], name: str | None) -> int | None:
    if name is not None:
        return _named(labels, name)
    found = [at for at, label in enumerate(labels) if is_time(label)]
    found = [at for at in found if "time" in words_of(labels[at])] or found
    if len(found) > 1:
        raise ColumnError(f"the time could be any of {listed([labels[at] for at in found])}; name one")
    return found[0] if found else None


def _frame(labels: Sequence[str]) -> int | None:
    found = [at for at, label in enumerate(labels) if is_frame(label)]
    return found[0] if found else None


def _named(labels: Sequence[str], name: str) -> int:
    found = [at for at, label in enumerate(labels) if label == name]
    found = found or [at for at, label in enumerate(labels) if label.casefold() == name.casefold()]
    if len(found) != 1:
        raise ColumnError(f"{'no column is' if not found else 'more than one column is'} named {name!r}")
    return found[0]


def knee_side(label: str) -> Side | None:
    """Tell whose knee angle a column is, or None when it is something else (a velocity, a moment, another joint)."""
    words = set(words_of(label))
    sides = {_SIDES[word] for word in words & _SIDES.keys()}
    rest = words - _SIDES.keys() - _ANGLE - _BESIDE - ANGLE_UNIT_WORDS
    if words & {"flexion", "flex"}:
        rest -= {"extension", "ext"}
    rest -= _component(words)
    return sides.pop() if rest == {"knee"} and len(sides) == 1 else None


def _component(words: set[str]) -> set[str]:
    """Give the words that name the component which is flexion; Xsens, whose joints begin with j, has it last."""
    if "j" in words:
        return {"j", "z"} if "z" in words else set()
    return {"x"} if words & _ANGLE else set()


def is_time(label: str) -> bool:
    """Tell whether a column is the time."""
    words = set(words_of(label))
    told_by_unit = len(words) == 1 and words <= TIME_UNIT_WORDS - {"s", "min"}
    return told_by_unit or (bool(words & _TIME) and words <= _TIME | TIME_UNIT_WORDS)


def is_frame(label: str) -> bool:
    """Tell whether a column numbers the samples."""
    words = set(words_of(label))
    return bool(words & _FRAME) and words <= _FRAME | _BESIDE_FRAME


def _angle_unit(labels: Sequence[str]) -> AngleUnit | None:
    units = {angle_unit(set(words_of(label))) for label in labels} - {None}
    if len(units) > 1:
        raise ColumnError(f"one knee in radians and one in degrees: {', '.join(map(repr, labels))}")
    return units.pop() if units else None


def listed(labels: Sequence[str]) -> str:
    """Write some names for an error."""
    shown = ", ".join(repr(label[:60]) for label in labels[:12])
    return shown if len(labels) <= 12 else f"{shown} and {len(labels) - 12} more"
