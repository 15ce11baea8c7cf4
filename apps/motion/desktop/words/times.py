"""Times, durations and numbers for people."""

from __future__ import annotations

import math
from datetime import datetime

from PySide6.QtCore import QDateTime, QLocale

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def now_ms() -> int:
    """Give the time, in UTC milliseconds."""
    return QDateTime.currentMSecsSinceEpoch()


def time_of_day(ms: int) -> str:
    """Give the time of the day, as people here write it."""
    return QLocale().toString(QDateTime.fromMSecsSinceEpoch(ms).time(), QLocale.FormatType.ShortFormat)


def date_of(ms: int) -> str:
    """Give a date, with its month in letters."""
    return QLocale().toString(QDateTime.fromMSecsSinceEpoch(ms).date(), "d MMM yyyy")


def date_and_time(ms: int) -> str:
    """Give a date and the time of the day."""
    return f"{date_of(ms)}, {time_of_day(ms)}"


def day_heading(ms: int, now: int) -> str:
    """Head a day in a list: Today, Yesterday, a weekday of this year, or a date."""
    then, today = datetime.fromtimestamp(ms / 1000).astimezone(), datetime.fromtimestamp(now / 1000).astimezone()
    days = (today.date() - then.date()).days
    if days in (0, 1):
        return "Yesterday" if days else "Today"
    form = "dddd, d MMMM" if then.year == today.year else "d MMMM yyyy"
    return QLocale().toString(QDateTime.fromMSecsSinceEpoch(ms).date(), form)


def from_now(ms: int, now: int) -> str:
    """Tell how far off something is: ``in 6 days``, ``3 hours ago``."""
    seconds = (ms - now) / 1000
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if abs(seconds) >= size:
            many = count(int(abs(seconds) // size), unit)
            return f"in {many}" if seconds > 0 else f"{many} ago"
    return "in a moment" if seconds > 0 else "just now"


def duration(ms: float) -> str:
    """Tell how long something is: ``12.4 s``, ``3:05``, ``1:02:03``."""
    return f"{ms / 1000:.1f} s" if ms < 60_000 else clock(ms / 1000)


def clock(seconds: float) -> str:
    """Give seconds as on a clock: ``0:05``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_in(seconds: float, decimals: int, clock_from: float = 60) -> str:
    """Name a place in a recording: ``12.40 s``, from a minute on ``3:05.20``."""
    if seconds < clock_from:
        return f"{seconds:.{decimals}f} s"
    parts = round(seconds * 10**decimals)
    fraction = f".{parts % 10**decimals:0{decimals}}" if decimals else ""
    return clock(parts / 10**decimals) + fraction


def decimals_for(step: float) -> int:
    """Give the decimals, three at most, with which places so many seconds apart read differently."""
    return min(3, max(0, math.ceil(-math.log10(step) - 1e-9))) if step > 0 else 3


def hertz(rate: float) -> str:
    """Give a rate: ``100 Hz``, ``59.94 Hz``."""
    return f"{round(rate, 2):g} Hz"


def degrees(value: float | None) -> str:
    """Give an angle with one decimal and a true minus; a dash for none."""
    return "–" if value is None or math.isnan(value) else f"{value:.1f}°".replace("-", "−")


def count(number: int, one: str, many: str | None = None) -> str:
    """Count things: ``1 recording``, ``2,300 recordings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
