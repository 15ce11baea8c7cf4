"""When a cron runs: at intervals, or by a cron expression in a time zone."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from synovia.errors import SchemaError

_DAILY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")
_SHORTEST, _LONGEST = dt.timedelta(seconds=1), dt.timedelta(days=366)
_MS = dt.timedelta(milliseconds=1)
_UNITS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Interval:
    """Every so many milliseconds, counted from when it was first seen."""

    every: int

    @property
    def text(self) -> str:
        """Write it as ``every 300000 ms``."""
        return f"every {self.every} ms"

    def __str__(self) -> str:
        rest, words = self.every, []
        for unit, milliseconds in _UNITS.items():
            count, rest = divmod(rest, milliseconds)
            words += [f"{count} {unit}"] if count else []
        return f"every {' '.join(words)}"

    def first(self, now: int) -> int:
        """Tell the first time, for a cron that is new at ``now``; milliseconds since 1970."""
        return now + self.every

    def following(self, planned: int, now: int) -> int:
        """Tell the time after ``planned``: the first in its rhythm that is later than ``now``."""
        return planned + self.every * max(1, (now - planned) // self.every + 1)

    def resumed(self, planned: int, now: int) -> int:
        """Tell the first time after ``now`` in the rhythm of ``planned``, which lies too far ahead."""
        return now + 1 + (planned - now - 1) % self.every


@dataclass(frozen=True)
class Expression:
    """A cron expression of five fields: minute, hour, day of the month, month, day of the week.

    When clocks are changed it does as Debian's cron: a run at a fixed time that falls into the hour left out happens right
    after it, one in the hour that comes twice happens once; those with ``*`` in hour or minute follow the time that passes.
    """

    fields: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if len(self.fields.split()) != 5:
            raise SchemaError(f"{self.fields!r} is no cron expression: it needs five fields")
        try:
            next(CronSim(self.fields, dt.datetime(2000, 1, 1, tzinfo=self._zone)))
        except (CronSimError, ValueError) as error:
            raise SchemaError(f"{self.fields!r} is no cron expression: {error}") from None
        except StopIteration:
            raise SchemaError(f"{self.fields!r} never comes") from None

    @cached_property
    def _zone(self) -> dt.tzinfo:
        if self.zone == "UTC":
            return dt.UTC
        try:
            return ZoneInfo(self.zone)
        except (KeyError, OSError, ValueError):
            raise SchemaError(f"{self.zone!r} is no time zone") from None

    @property
    def text(self) -> str:
        """Write it as ``0 3 * * * Europe/Berlin``."""
        return f"{self.fields} {self.zone}"

    def __str__(self) -> str:
        return self.text

    def first(self, now: int) -> int:
        """Tell the first time after ``now``; both in milliseconds since 1970."""
        moments = CronSim(self.fields, (_EPOCH + now * _MS).astimezone(self._zone))
        times = ((moment - _EPOCH) // _MS for moment in moments)
        return next(time for time in times if time > now)  # in an hour that comes twice the first ones are over already

    def following(self, planned: int, now: int) -> int:
        """Tell the time after ``planned`` and after ``now``."""
        return self.first(max(planned, now))

    def resumed(self, planned: int, now: int) -> int:
        """Tell the first time after ``now``; ``planned`` lies too far ahead."""
        return self.first(now)


Schedule = Interval | Expression


def interval(every: dt.timedelta) -> Interval:
    """Make a schedule of an interval.

    Raises:
        SchemaError: It is shorter than a second or longer than a year.
    """
    if not isinstance(every, dt.timedelta):
        raise SchemaError(f"every is a timedelta, as timedelta(minutes=5), not {every!r:.80}")
    if not _SHORTEST <= every <= _LONGEST:
        raise SchemaError("every is between a second and 366 days")
    return Interval(every // _MS)


def daily(at: str, zone: str) -> Expression:
    """Make a schedule of a time of day.

    Raises:
        SchemaError: It is not of the form ``03:00``, or there is no such time zone.
    """
    found = _DAILY.match(at)
    if found is None:
        raise SchemaError(f"{at!r} is no time of day, as 03:00")
    return Expression(f"{int(found[2])} {int(found[1])} * * *", zone)


def parse(text: str) -> Schedule:
    """Read what ``text`` of a schedule has written.

    Raises:
        SchemaError: It is nothing of the kind.
    """
    match text.split():
        case ["every", number, "ms"] if number.isdecimal():
            return interval(int(number) * _MS)
        case [*fields, zone]:
            return Expression(" ".join(fields), zone)
    raise SchemaError(f"{text!r} is no schedule")
