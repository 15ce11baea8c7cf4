"""The row of column names of a table: found below titles, above units, and over two rows where groups have components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from motion.files.cells import decoded, is_missing, is_number, split
from motion.files.columns import ColumnNames, has_knee, is_frame, is_time, knee_side
from motion.files.lines import LineSource
from motion.files.motion import MotionFileError
from motion.files.words import AngleUnit, TimeUnit, angle_unit, time_unit, words_of

LEADING_LINES = 100
"""So many lines may stand above the numbers."""
_GROUPS_ABOVE = 4
_DELIMITERS = (b"\t", b";", b",")
_FASTEST = 1e6
_TOLD_DELIMITER = re.compile(rb'"?sep=(.)"?')
_RATE = re.compile(
    r"(?:sampl\w*|frame|capture|data|measurement|recording|point|camera|video)[ _-]*(?:rate|frequency|freq)\b\D{0,20}?"
    r"(\d+(?:[.,]\d+)?)|\b(?:frequency|fps|hz)\W{1,5}(\d+(?:[.,]\d+)?)",
    re.IGNORECASE,
)
_OTHER_UNITS = frozenset(
    re.findall(
        r"\S+",
        "s sec n nm m mm cm km kg w v mv uv µv hz bw percent % g mps dps cps counts count bits au arb nmkg bpm pct",
    )
)
"""Words of units that no angle has."""


@dataclass(frozen=True, slots=True)
class TableHeader:
    """What stands above the rows.

    Attributes:
        labels: The names of the columns, which stand in ``line``; components carry the names of their groups.
        delimiter: Between the cells of a row; None means runs of blanks.
        skip: How many lines there are up to the first row.
        rate: Hz, where a line above the names tells it.
        units: The cells of the row of units, or none.
    """

    labels: tuple[str, ...]
    line: int
    delimiter: bytes | None
    skip: int
    rate: float | None = None
    units: tuple[str, ...] = ()

    def angle_unit(self, at: int) -> AngleUnit | None:
        """Tell the unit of an angle by the row of units.

        Raises:
            ValueError: It is the unit of something else; says which.
        """
        words = set(words_of(self.units[at])) if at < len(self.units) else set()
        if words & _OTHER_UNITS:
            raise ValueError(self.units[at])
        return angle_unit(words)

    def time_unit(self, at: int) -> TimeUnit | None:
        """Tell the unit of the time by the row of units."""
        return time_unit(set(words_of(self.units[at]))) if at < len(self.units) else None


@dataclass(frozen=True, slots=True)
class _Row:
    """A line that is neither blank nor a comment; ``at`` counts from the first of all lines."""

    at: int
    line: int
    cells: tuple[str, ...]
    delimiter: bytes | None
    raw: tuple[bytes, ...]

    @property
    def is_data(self) -> bool:
        used = [cell for cell in self.raw if cell.strip()]
        return bool(used) and sum(map(is_number, used)) * 2 >= len(used)


def read_table_header(source: LineSource, path: Path, names: ColumnNames) -> TableHeader:
    """Find the names of the columns and pass over everything above the first row.

    Raises:
        MotionFileError: There are none.
    """
    leading = source.leading(LEADING_LINES)
    rows = list(_used(leading, path))
    if not rows:
        raise MotionFileError(path, leading[-1][0] if leading else None, "the file is empty")
    header = _known(rows, names) or _above_numbers(rows, path)
    source.skip(header.skip)
    return header


def _used(leading: Sequence[tuple[int, bytes]], path: Path) -> Iterator[_Row]:
    told: bytes | None = None
    for at, (line, text) in enumerate(leading):
        if not text.strip(b" \t,;") or text.lstrip().startswith(b"#"):
            continue
        if at == 0 and (found := _TOLD_DELIMITER.fullmatch(text.strip())):
            told = found[1]
            continue
        delimiter = told or _delimiter(text)
        try:
            cells = split(text, delimiter)
        except ValueError as error:
            raise MotionFileError(path, line, f"the row cannot be split into columns: {error}") from None
        yield _Row(at, line, tuple(decoded(cell).strip() for cell in cells), delimiter, tuple(cells))


def _delimiter(text: bytes) -> bytes | None:
    bare = re.sub(rb'"[^"]*"', b"", text)
    delimiter = max(_DELIMITERS, key=bare.count)
    return delimiter if delimiter in bare else None


def _known(rows: Sequence[_Row], names: ColumnNames) -> TableHeader | None:
    """Find the first row, or two rows taken together, with a knee and samples below it."""
    for place, row in enumerate(rows):
        for labels in (row.cells, *_with_groups(rows, place)):
            if has_knee(labels, names) and _has_samples_below(rows, place, labels, names):
                return _header(rows, place, labels)
    return None


def _with_groups(rows: Sequence[_Row], place: int) -> Iterator[tuple[str, ...]]:
    """Join the names in a row, such as X, Y, Z, with those of groups in a row above; a group reaches up to the next."""
    row = rows[place]
    for above in reversed(rows[max(0, place - _GROUPS_ABOVE) : place]):
        if above.delimiter != row.delimiter:
            continue
        group, labels = "", list[str]()
        for at, cell in enumerate(row.cells):
            group = (above.cells[at] if at < len(above.cells) else "") or group
            stands_alone = not (cell and group) or is_time(cell) or is_frame(cell)
            labels.append(cell if stands_alone else f"{group}_{cell}")
        yield tuple(labels)


def _has_samples_below(rows: Sequence[_Row], place: int, labels: Sequence[str], names: ColumnNames) -> bool:
    """Tell whether the next row, but for one of units, holds samples; else these are names of groups, or a title."""
    below = rows[place + 1 : place + 3]
    if below and _is_units(below[0]):
        below = below[1:]
    if not below:
        return False
    asked = {name.casefold() for name in (names.left, names.right) if name is not None}
    wanted = [at for at, label in enumerate(labels) if knee_side(label) or label.casefold() in asked]
    cells = [below[0].raw[at] for at in wanted if at < len(below[0].raw)]
    return below[0].is_data or any(is_number(cell) or (cell.strip() and is_missing(cell)) for cell in cells)


def _above_numbers(rows: Sequence[_Row], path: Path) -> TableHeader:
    """Take the last row of words above the first row of numbers, which is what a person would take."""
    first = next((place for place, row in enumerate(rows) if row.is_data), len(rows))
    place = first - 1 if first < len(rows) else 0
    if place > 0 and _is_units(rows[place]):
        place -= 1
    if place < 0:
        raise MotionFileError(path, rows[0].line, "expected a line of column names, such as time,left_knee,right_knee")
    return _header(rows, place, rows[place].cells)


def _header(rows: Sequence[_Row], place: int, labels: Sequence[str]) -> TableHeader:
    row, below = rows[place], rows[place + 1] if place + 1 < len(rows) else None
    has_units = below is not None and _is_units(below)
    labels = list(labels)
    while len(labels) > 1 and not labels[-1]:
        labels.pop()
    return TableHeader(
        labels=tuple(labels),
        line=row.line,
        delimiter=row.delimiter,
        skip=1 + (below.at if has_units and below is not None else row.at),
        rate=rate_in(" ".join(above.cells) for above in rows[:place]),
        units=below.cells if has_units and below is not None else (),
    )


def _is_units(row: _Row) -> bool:
    """Tell whether a row holds units: no numbers, and all that it says is short."""
    used = [cell for cell in row.cells if cell]
    if not used or any(is_number(cell) or (cell.strip() and is_missing(cell)) for cell in row.raw):
        return False
    if any(knee_side(cell) is not None or (is_time(cell) and len(cell) > 3) for cell in used):
        return False
    known = [set(words_of(cell)) for cell in used]
    return any(angle_unit(words) or time_unit(words) or words & _OTHER_UNITS for words in known) and all(
        len(words) <= 4 for words in known
    )


def rate_in(lines: Iterable[str]) -> float | None:
    """Read the sample rate, in Hz, that one of some lines tells."""
    for line in lines:
        if found := _RATE.search(line[:1000]):
            rate = float((found[1] or found[2]).replace(",", "."))
            return rate if 0 < rate <= _FASTEST else None
    return None
