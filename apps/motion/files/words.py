"""The words of a column's name: how programs abbreviate sides, quantities and units, brought to one form."""

from __future__ import annotations

import re
from typing import Literal

AngleUnit = Literal["degrees", "radians"]
TimeUnit = Literal["s", "ms", "us", "ns", "min", "days"]

SECONDS: dict[TimeUnit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "days": 86_400.0}
"""How many seconds one unit of time is."""

_ANGLE_UNITS: dict[str, AngleUnit] = {
    **dict.fromkeys(("deg", "degs", "degree", "degrees", "°", "º"), "degrees"),
    **dict.fromkeys(("rad", "rads", "radian", "radians"), "radians"),
}
_TIME_UNITS: dict[str, TimeUnit] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
}
_KNEE = re.compile(
    r"(?P<before>l|r|lt|rt|left|right)?knee(?P<what>joint)?(?P<angle>angles?|flexion|flex)?(?P<after>l|r|lt|rt|left|right)?"
)
_TOKEN = re.compile(r"[^\W\d_]+|[°º%]")
_CAMEL = re.compile(r"([a-z0-9])([A-Z])")


def words_of(label: str) -> list[str]:
    """Split a name into lower-case words; of an OpenSim 4 path only the coordinate and its quantity count."""
    if label.startswith("/"):
        label = "_".join(label.split("/")[-2:])
    words = _TOKEN.findall(_CAMEL.sub(r"\1 \2", _without_subject(label)).lower())
    return [part for word in words for part in _parts(word)]


def angle_unit(words: set[str]) -> AngleUnit | None:
    """Tell the unit that words name, or None when they name none, or both."""
    units = {unit for word, unit in _ANGLE_UNITS.items() if word in words}
    return units.pop() if len(units) == 1 else None


def time_unit(words: set[str]) -> TimeUnit | None:
    """Tell the unit of time that words name, or None when they name none, or several."""
    units = {unit for word, unit in _TIME_UNITS.items() if word in words}
    return units.pop() if len(units) == 1 else None


ANGLE_UNIT_WORDS = frozenset(_ANGLE_UNITS)
TIME_UNIT_WORDS = frozenset(_TIME_UNITS)


def _without_subject(label: str) -> str:
    """Leave out the name of the person before a colon, as in ``Anna:LKneeAngles``."""
    before, colon, after = label.rpartition(":")
    return after if colon and before and after.strip() else label


def _parts(word: str) -> list[str]:
    """Take apart what is written in one: ``lknee``, ``kneeangle``, ``kneeflexionleft``."""
    if (found := _KNEE.fullmatch(word)) is None:
        return [word]
    return [part for part in (found["before"], "knee", found["what"], found["angle"], found["after"]) if part]
