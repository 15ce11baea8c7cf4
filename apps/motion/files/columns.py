"""Which column is which: names of times and knees as programs write them, or as the caller tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]

_SIDES: dict[str, Side] = {"l": "left", "left": "left", "r": "right", "right": "right"}
_JOINED: dict[str, tuple[str, ...]] = {
    "lknee": ("l", "knee"),
    "rknee": ("r", "knee"),
    "leftknee": ("left", "knee"),
    "rightknee": ("right", "knee"),
    "kneel": ("knee", "l"),
    "kneer": ("knee", "r"),
    "kneeleft": ("knee", "left"),
    "kneeright": ("knee", "right"),
    "kneeangle": ("knee", "angle"),
    "timestamps": ("timestamp",),
    "milliseconds": ("ms",),
    "msec": ("ms",),
}
_ANGLE = {"angle", "angles", "flexion", "joint", "value", "deg", "degree", "degrees", "°", "rad", "radian", "radians"}
_RADIANS = {"rad", "radian", "radians"}
_DEGREES = {"deg", "degree", "degrees", "°"}
_TIME = {"time", "t", "timestamp", "elapsed"}
_SECONDS = {"s", "sec", "secs", "second", "seconds"}


class ColumnError(Exception):
    """No column, or more than one, can be what is looked for."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns to read, where the caller names them; None: find it by its name."""

    time: str | None = None
    left: str | None = None
    right: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions in a row. ``time`` is None without a time column; ``radians`` is None where the names do not tell."""

    time: int | None
    left: int
    right: int
    seconds: float = 1.0
    """How many seconds one unit of the time column is."""
    radians: bool | None = None


def choose(labels: Sequence[str], names: ColumnNames) -> Columns:
    """Find the time and the knee angles among the column names.

    Raises:
        ColumnError: A column is missing, is there twice, or is meant to be two things at once.
    """
    left, right = _knee(labels, "left", names.left), _knee(labels, "right", names.right)
    time = _time(labels, names.time)
    if len({left, right, time}) < 3:
        raise ColumnError(f"one column cannot be two of time, left and right knee: {labels[left]!r}")
    scale = 0.001 if time is not None and "ms" in _words(labels[time]) else 1.0
    return Columns(time, left, right, scale, _unit(labels[left], labels[right]))


def _knee(labels: Sequence[str], side: Side, name: str | None) -> int:
    if name is not None:
        return _named(labels, name)
    found = [at for at, label in enumerate(labels) if knee_side(label) == side]
    if not found:
        raise ColumnError(f"no column is the {side} knee's angle among {_listed(labels)}; name it")
    if len(found) > 1:
        raise ColumnError(f"the {side} knee's angle could be any of {_listed([labels[at] for at in found])}; name one")
    return found[0]


def _time(labels: Sequence[str], name: str | None) -> int | None:
    if name is not None:
        return _named(labels, name)
    found = [at for at, label in enumerate(labels) if is_time(label)]
    if len(found) > 1:
        raise ColumnError(f"the time could be any of {_listed([labels[at] for at in found])}; name one")
    return found[0] if found else None


def _named(labels: Sequence[str], name: str) -> int:
    found = [at for at, label in enumerate(labels) if label == name]
    found = found or [at for at, label in enumerate(labels) if label.casefold() == name.casefold()]
    if len(found) != 1:
        raise ColumnError(f"{'no column is' if not found else 'more than one column is'} named {name!r}")
    return found[0]


def knee_side(label: str) -> Side | None:
    """Tell whose knee angle a column is, or None when it is something else (a velocity, a moment, another joint)."""
    words = set(_words(label))
    sides = {_SIDES[word] for word in words & _SIDES.keys()}
    rest = words - _SIDES.keys() - _ANGLE
    return sides.pop() if rest == {"knee"} and len(sides) == 1 else None


def is_time(label: str) -> bool:
    """Tell whether a column is the time."""
    words = set(_words(label))
    return bool(words & _TIME) and words <= _TIME | _SECONDS | {"ms"}


def _words(label: str) -> list[str]:
    """Split a name into lower-case words; of an OpenSim 4 path only the coordinate and its quantity count."""
    if label.startswith("/"):
        label = "_".join(label.split("/")[-2:])
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", label).lower()
    return [part for word in re.findall(r"[^\W\d_]+|°", spaced) for part in _JOINED.get(word, (word,))]


def _unit(left: str, right: str) -> bool | None:
    words = {*_words(left), *_words(right)}
    if words & _RADIANS and words & _DEGREES:
        raise ColumnError(f"one knee in radians and one in degrees: {left!r}, {right!r}")
    return True if words & _RADIANS else False if words & _DEGREES else None


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:12])
    return shown if len(labels) <= 12 else f"{shown} and {len(labels) - 12} more"
