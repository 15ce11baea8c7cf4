"""What stands above the numbers of an OpenSim or SIMM file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from motion.files.cells import decoded, is_number, split
from motion.files.lines import LineSource
from motion.files.motion import MotionFileError
from motion.files.words import AngleUnit

MAX_HEADER_LINES = 1000
KEYS = {
    "nrows": "rows",
    "nr": "rows",
    "datarows": "rows",
    "ncolumns": "columns",
    "nc": "columns",
    "datacolumns": "columns",
    "indegrees": "in_degrees",
    "range": "range",
    "samplerate": "sample_rate",
    "datatype": "data_type",
    "name": "name",
}
"""The header's keywords of all program versions, in lower case, and what they mean here."""
_ENTRY = re.compile(r"([A-Za-z_]+)(?:\s*=\s*|\s+)(.*)")
_TAIL = " \t,;"
"""What a spreadsheet leaves at the ends of header lines."""
_YES, _NO = ("yes", "y", "true"), ("no", "n", "false")


@dataclass(frozen=True, slots=True)
class Stated:
    """A value that the header states, and the line where it does."""

    value: str
    line: int
    key: str

    def __str__(self) -> str:
        return f"{self.key}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Header:
    """Everything above the first row.

    Attributes:
        labels: The names of the columns, which stand in ``labels_line``.
        delimiter: Between the cells of a row; None means runs of blanks.
        title: The first line, if it is none of the keywords: what OpenSim says that the numbers are.
        name: What the file calls itself.
        unit: That of the angles, or None if the header is silent.
        rows: How many rows the header claims, or None.
        span: The first and last time, in seconds, of a SIMM file, which may do without a time column.
        sample_rate: The exact rate, in Hz, that a file of our own export states.
        warnings: What does not fit.
    """

    labels: tuple[str, ...]
    labels_line: int
    delimiter: bytes | None = None
    title: str = ""
    name: str = ""
    unit: AngleUnit | None = None
    rows: Stated | None = None
    span: tuple[float, float] | None = None
    sample_rate: float | None = None
    warnings: tuple[str, ...] = ()


def read_opensim_header(source: LineSource, path: Path) -> Header:
    """Read an OpenSim or SIMM header and the line of column names below it.

    Raises:
        MotionFileError: There is none, or what it says cannot be.
    """
    title, stated, described = _entries(source, path)
    _require_doubles(stated, path)
    columns = _counted(stated.get("columns"), path)
    labels, delimiter = _labels(source, path)
    warnings: tuple[str, ...] = ()
    if columns is not None and columns != len(labels):
        warnings = (
            f"the header says {columns} columns ({stated['columns']}), but {len(labels)} are named; those are read",
        )
    _counted(stated.get("rows"), path)
    return Header(
        labels=labels,
        labels_line=source.line,
        delimiter=delimiter,
        title=title,
        name=stated["name"].value if "name" in stated else title,
        unit=_unit(stated.get("in_degrees"), path, described),
        rows=stated.get("rows"),
        span=_span(stated.get("range")),
        sample_rate=_positive(stated.get("sample_rate")),
        warnings=warnings,
    )


def _entries(source: LineSource, path: Path) -> tuple[str, dict[str, Stated], AngleUnit | None]:
    """Read up to ``endheader``: the first line, what the keywords say, and what the description says of the unit."""
    first, stated = "", dict[str, Stated]()
    unit: AngleUnit | None = None
    for count in range(MAX_HEADER_LINES):
        if (raw := source.next_line()) is None:
            reason = 'the file ends before an "endheader" line' if source.line else "the file is empty"
            raise MotionFileError(path, source.line or None, reason)
        line = decoded(raw).strip()
        plain = line.strip(_TAIL)
        if plain.lower() == "endheader":
            return first, stated, unit
        if _is_row(line):
            raise MotionFileError(path, source.line, 'numbers before an "endheader" line')
        entry = _ENTRY.fullmatch(line)
        if entry and (key := KEYS.get(entry[1].lower())):
            value = entry[2].strip() if key == "name" else entry[2].strip(_TAIL)
            stated.setdefault(key, Stated(value, source.line, entry[1]))
        elif count == 0:
            first = "" if plain.startswith("#") else plain
        elif said := re.fullmatch(r"angles are in (degrees|radians)\.?", plain.lower()):
            unit = "radians" if said[1] == "radians" else "degrees"
    raise MotionFileError(path, source.line, f'no "endheader" within {MAX_HEADER_LINES:,} lines')


def _labels(source: LineSource, path: Path) -> tuple[tuple[str, ...], bytes | None]:
    line = source.next_line()
    while line is not None and (not line.strip(b" \t,;") or line.lstrip().startswith(b"#")):
        line = source.next_line()
    if line is None:
        raise MotionFileError(path, source.line, 'the file ends after "endheader"; column names were expected')
    delimiter = _delimiter(line)
    if delimiter is None:
        tabbed = [cell for cell in line.strip().split(b"\t") if cell.strip()]
        cells = tabbed if len(tabbed) > 1 else line.split()
    else:
        cells = _split(line.rstrip(b" \t" + delimiter), delimiter, path, source.line)
    if all(map(is_number, cells)):
        raise MotionFileError(path, source.line, 'expected the column names after "endheader", found numbers')
    return tuple(decoded(cell).strip() for cell in cells), delimiter


def _delimiter(line: bytes) -> bytes | None:
    """Blanks and tabs separate the columns, unless a spreadsheet has saved the file with its own separators."""
    found = max((b";", b","), key=line.count)
    return found if line.count(found) > line.strip().count(b"\t") and len(line.split()) <= line.count(found) else None


def _split(line: bytes, delimiter: bytes, path: Path, number: int) -> list[bytes]:
    try:
        return split(line, delimiter)
    except ValueError as error:
        raise MotionFileError(path, number, f"the column names cannot be read: {error}") from None


def _require_doubles(stated: dict[str, Stated], path: Path) -> None:
    kind = stated.get("data_type")
    if kind is not None and kind.value.lower() != "double":
        what = "orientations of sensors" if kind.value.lower() == "quaternion" else "vectors"
        reason = f"the table holds {kind.value[:40]} ({what}), not plain numbers (DataType=double)"
        raise MotionFileError(path, kind.line, f"{reason}; export the joint angles instead")


def _counted(said: Stated | None, path: Path) -> int | None:
    if said is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", said.value):
        raise MotionFileError(path, said.line, f"{said.key} is not a whole number: {said.value[:60]!r}")
    return int(said.value)


def _unit(said: Stated | None, path: Path, described: AngleUnit | None) -> AngleUnit | None:
    if said is None:
        return described
    if said.value.lower() not in _YES + _NO:
        raise MotionFileError(path, said.line, f"{said.key} is neither yes nor no: {said.value[:60]!r}")
    return "radians" if said.value.lower() in _NO else "degrees"


def _span(said: Stated | None) -> tuple[float, float] | None:
    words = said.value.split() if said is not None else []
    if len(words) != 2 or not all(is_number(word.encode()) for word in words):
        return None
    return float(words[0].replace(",", ".")), float(words[1].replace(",", "."))


def _positive(said: Stated | None) -> float | None:
    try:
        value = float(said.value) if said is not None else 0.0
    except ValueError:
        return None
    return value if value > 0 else None


def _is_row(line: str) -> bool:
    words = [word.encode() for word in line.split()]
    return len(words) > 1 and all(map(is_number, words))
