"""What stands in a cell: a number, as programs and countries write it, a clock time, or that there is none."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime

_MISSING = frozenset(
    b"|na|n/a|#n/a|#na|#nv|nan|+nan|-nan|null|none|missing|nan(ind)|-nan(ind)|1.#nan|1.#ind|-1.#ind|1.#qnan|-1.#qnan"
    b"|1.#snan|-1.#snan|#num!|#value!|#div/0!|#ref!|#wert!|#zahl!".split(b"|")
)
"""In lower case: what spreadsheets and C libraries write where there is no number; the first is an empty cell."""
_INFINITE = {b"1.#inf": float("inf"), b"+1.#inf": float("inf"), b"-1.#inf": float("-inf")}
_MINUS = "\N{MINUS SIGN}".encode()
"""What stands before a negative number in Swedish and other spreadsheets."""
_COMMA = re.compile(rb"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def is_missing(cell: bytes) -> bool:
    """Tell whether a cell says that there is no sample."""
    return cell.strip().lower() in _MISSING


def number(cell: bytes, *, decimal_comma: bool = False) -> float:
    """Read a number.

    Raises:
        ValueError: It is none; an underscore between digits, which Python takes, is not meant by any file.
    """
    text = cell.strip().replace(_MINUS, b"-")
    if decimal_comma:
        text = text.replace(b",", b".")
    if b"_" in text:
        raise ValueError(cell)
    known = _INFINITE.get(text.lower())
    return float(text) if known is None else known


def is_number(cell: bytes) -> bool:
    """Tell whether a cell is a number, with a point or a comma."""
    try:
        number(cell, decimal_comma=has_decimal_comma(cell))
    except ValueError:
        return False
    return True


def has_decimal_comma(cell: bytes) -> bool:
    """Tell whether a cell is a number with a comma for its point."""
    return _COMMA.fullmatch(cell.strip()) is not None


def clock_seconds(cell: bytes) -> float:
    """Read a time of day, a stopwatch or a date with a time, in seconds.

    Raises:
        ValueError: It is none of these.
    """
    text = cell.strip().decode("ascii", "replace")
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    if _DATE.match(text):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    raise ValueError(cell)


def split(text: bytes, delimiter: bytes | None) -> list[bytes]:
    """Split a row into its cells, without their quotes; ``delimiter`` None means runs of blanks.

    Raises:
        ValueError: A cell is longer than cells are.
    """
    if delimiter is None or b'"' not in text:
        return text.split(delimiter)
    try:
        cells = next(csv.reader([text.decode("latin-1")], delimiter=delimiter.decode("latin-1")), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [cell.encode("latin-1") for cell in cells]


def decoded(cell: bytes) -> str:
    """Read text as UTF-8, or as Latin-1 where it is not."""
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.decode("latin-1")
