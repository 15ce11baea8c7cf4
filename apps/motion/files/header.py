"""What stands above the numbers: the header of OpenSim and SIMM files, and the first line of a CSV file."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from motion.files.lines import LineSource
from motion.files.motion import MotionFileError

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
_DELIMITERS = (b"\t", b";", b",")


@dataclass(frozen=True, slots=True)
class Stated:
    """A value that the header states, and the line where it does."""

    value: str
    line: int
    key: str


@dataclass(frozen=True, slots=True)
class Header:
    """Everything above the first row.

    ``delimiter`` None means runs of blanks; ``span`` is the first and last time, in seconds, of a SIMM file, which may
    do without a time column.
    """

    labels: tuple[str, ...]
    labels_line: int
    delimiter: bytes | None = None
    name: str = ""
    radians: bool | None = None
    rows: int | None = None
    rows_key: str = ""
    span: tuple[float, float] | None = None
    sample_rate: float | None = None


def decode(line: bytes) -> str:
    """Read a line as UTF-8, or as Latin-1 where it is not."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def read_opensim_header(source: LineSource, path: Path) -> Header:
    """Read an OpenSim or SIMM header and the line of column names below it."""
    name, stated, radians = _entries(source, path)
    _require_doubles(stated, path)
    rows, columns = _count(stated.get("rows"), path), _count(stated.get("columns"), path)
    labels = _labels(source, path)
    if columns is not None and columns != len(labels):
        said = stated["columns"]
        reason = f"{len(labels)} column names, but {said.key} (line {said.line}) says {columns}"
        raise MotionFileError(path, source.line, reason)
    return Header(
        labels=labels,
        labels_line=source.line,
        name=stated["name"].value if "name" in stated else name,
        radians=_radians(stated.get("in_degrees"), path, radians),
        rows=rows,
        rows_key=f"{stated['rows'].key} (line {stated['rows'].line})" if "rows" in stated else "",
        span=_span(stated.get("range")),
        sample_rate=_positive(stated.get("sample_rate")),
    )


def read_csv_header(source: LineSource, path: Path) -> Header:
    """Read the first line that is neither blank nor a comment: the column names."""
    line, delimiter = _next_used(source), None
    if line is not None and (told := re.fullmatch(rb'"?sep=(.)"?', line.strip())):
        line, delimiter = _next_used(source), told[1]
    if line is None:
        raise MotionFileError(path, source.line or None, "the file is empty")
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=line.count)
        delimiter = delimiter if delimiter in line else None
    labels = _split_labels(line, delimiter)
    if all(_is_number(label) for label in labels):
        raise MotionFileError(path, source.line, "expected a line of column names, such as time,left_knee,right_knee")
    return Header(labels, source.line, delimiter)


def _entries(source: LineSource, path: Path) -> tuple[str, dict[str, Stated], bool | None]:
    """Read up to ``endheader``: the first line, what the keywords say, and what the description says of radians."""
    first, stated, radians = "", dict[str, Stated](), None
    for count in range(MAX_HEADER_LINES):
        if (raw := source.next_line()) is None:
            reason = 'the file ends before an "endheader" line' if source.line else "the file is empty"
            raise MotionFileError(path, source.line or None, reason)
        line = decode(raw).strip()
        if line.lower() == "endheader":
            return first, stated, radians
        if _is_row(line):
            raise MotionFileError(path, source.line, 'numbers before an "endheader" line')
        entry = _ENTRY.fullmatch(line)
        if entry and (key := KEYS.get(entry[1].lower())):
            stated.setdefault(key, Stated(entry[2].strip(), source.line, entry[1]))
        elif count == 0:
            first = "" if line.startswith("#") else line
        elif said := re.fullmatch(r"angles are in (degrees|radians)\.?", line.lower()):
            radians = said[1] == "radians"
    raise MotionFileError(path, source.line, f'no "endheader" within {MAX_HEADER_LINES:,} lines')


def _labels(source: LineSource, path: Path) -> tuple[str, ...]:
    line = _next_used(source)
    if line is None:
        raise MotionFileError(path, source.line, 'the file ends after "endheader"; column names were expected')
    tabbed = tuple(label.strip() for label in decode(line).strip().split("\t") if label.strip())
    labels = tabbed if len(tabbed) > 1 else tuple(decode(line).split())
    if all(_is_number(label) for label in labels):
        raise MotionFileError(path, source.line, 'expected the column names after "endheader", found numbers')
    return labels


def _next_used(source: LineSource) -> bytes | None:
    """Give the next line that is neither blank nor a comment."""
    while (line := source.next_line()) is not None:
        if line.strip() and not line.lstrip().startswith(b"#"):
            return line
    return None


def _split_labels(line: bytes, delimiter: bytes | None) -> tuple[str, ...]:
    text = decode(line)
    if delimiter is None:
        return tuple(text.split())
    return tuple(cell.strip() for cell in next(csv.reader([text], delimiter=delimiter.decode("latin-1"))))


def _require_doubles(stated: dict[str, Stated], path: Path) -> None:
    kind = stated.get("data_type")
    if kind is not None and kind.value.lower() != "double":
        raise MotionFileError(path, kind.line, f"the table holds {kind.value}, not plain numbers (DataType=double)")


def _count(said: Stated | None, path: Path) -> int | None:
    if said is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", said.value):
        raise MotionFileError(path, said.line, f"{said.key} is not a whole number: {said.value[:60]!r}")
    return int(said.value)


def _radians(said: Stated | None, path: Path, described: bool | None) -> bool | None:
    if said is None:
        return described
    if said.value.lower() not in ("yes", "y", "true", "no", "n", "false"):
        raise MotionFileError(path, said.line, f"{said.key} is neither yes nor no: {said.value[:60]!r}")
    return said.value.lower() in ("no", "n", "false")


def _span(said: Stated | None) -> tuple[float, float] | None:
    words = said.value.split() if said is not None else []
    if len(words) != 2 or not all(map(_is_number, words)):
        return None
    return float(words[0]), float(words[1])


def _positive(said: Stated | None) -> float | None:
    return float(said.value) if said is not None and _is_number(said.value) and float(said.value) > 0 else None


def _is_row(line: str) -> bool:
    words = line.split()
    return len(words) > 1 and all(map(_is_number, words))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
