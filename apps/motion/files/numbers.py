"""Rows of text to columns of float64: whole blocks at a time, and cell by cell only where something is unusual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motion.files.cells import clock_seconds, has_decimal_comma, is_missing, number, split
from motion.files.lines import Block, LineSource
from motion.files.motion import Floats, MotionFileError

Lines = NDArray[np.int64]
ROWS_AT_ONCE = 4_096
SAMPLE_ROWS = 20
"""So many rows tell how a file writes its numbers."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is written.

    Attributes:
        labels: The names of all columns, in order.
        wanted: The positions of the columns to keep.
        time: The position of the time, in which no number may be missing; None without one.
        delimiter: One byte, or None for runs of blanks.
        all_numbers: Whether the columns that are not kept have to be numbers too.
        ends_at_blank: Whether a blank line ends the rows, because other things follow.
    """

    labels: tuple[str, ...]
    wanted: tuple[int, ...]
    time: int | None = None
    delimiter: bytes | None = None
    all_numbers: bool = True
    ends_at_blank: bool = False

    @property
    def read(self) -> tuple[int, ...]:
        """The positions of the columns that have to be numbers."""
        return tuple(range(len(self.labels))) if self.all_numbers else self.wanted


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The kept columns by their position in a row, each of shape ``(n,)``, and the line of each row."""

    columns: dict[int, Floats]
    lines: Lines


def read_numbers(source: LineSource, layout: Layout, path: Path) -> Table:
    """Read all rows that are left. Samples that the file says are missing are NaN.

    Raises:
        MotionFileError: A row has the wrong number of columns or something that is not a number, or there are none.
    """
    reader = _Reader(layout, path, source)
    parts = [part for block in _blocks(source, layout) if len((part := reader.read(block))[1])]
    if not parts:
        raise MotionFileError(path, source.line, "no rows of numbers follow the column names")
    lines = np.concatenate([lines for _, lines in parts])
    at = {position: place for place, position in enumerate(layout.read)}
    columns = {each: np.concatenate([values[:, at[each]] for values, _ in parts]) for each in layout.wanted}
    return Table(columns, lines)


def _blocks(source: LineSource, layout: Layout) -> Iterator[Block]:
    if not layout.ends_at_blank:
        yield from source.blocks()
        return
    rows = _until_blank(source)
    while lines := list(islice(rows, ROWS_AT_ONCE)):
        yield Block(source.line - len(lines) + 1, b"\n".join(lines))


def _until_blank(source: LineSource) -> Iterator[bytes]:
    while (line := source.next_line()) is not None and line.strip(b" \t,;"):
        yield line


class _Reader:
    """Turns blocks into numbers."""

    def __init__(self, layout: Layout, path: Path, source: LineSource) -> None:
        self._layout = layout
        self._path = path
        self._width = len(layout.labels)
        self._decimal_comma = self._writes_commas([line for _, line in source.leading(SAMPLE_ROWS)])

    def _writes_commas(self, rows: Sequence[bytes]) -> bool:
        """Tell whether commas stand for points: where a cell looks so, and none has a point."""
        try:
            cells = list(chain.from_iterable(split(row, self._layout.delimiter) for row in rows))
        except ValueError:
            return False
        return not any(b"." in cell for cell in cells) and (
            any(map(has_decimal_comma, cells)) or self._layout.delimiter not in (b",", None)
        )

    def read(self, block: Block) -> tuple[Floats, Lines]:
        """Read one block: values of shape ``(rows, read)`` and the line of each row."""
        if (quick := self._quickly(block)) is not None:
            return quick
        rows, lines = self._rows(block)
        return self._numbers(rows, lines)

    def _quickly(self, block: Block) -> tuple[Floats, Lines] | None:
        """Read a block in which nothing is unusual, or give None."""
        # float() takes an underscore between digits, which no motion file means
        if b'"' in block.data or b"#" in block.data:
            return None
        delimiter, data = self._layout.delimiter, block.data
        if self._decimal_comma and delimiter != b",":
            data = data.replace(b",", b".")
        rows = [text.split(delimiter) for text in data.split(b"\n")]
        if self._width < 2 or set(map(len, rows)) != {self._width}:
            return None
        if not self._layout.all_numbers:
            rows = [[row[at] for at in self._layout.wanted] for row in rows]
        cells = list(chain.from_iterable(rows))
        try:
            values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
        except ValueError:
            return None
        if b"_" in data and any(b"_" in cell for cell in cells):
            return None
        return values.reshape(len(rows), -1), np.arange(block.line, block.line + len(rows))

    def _rows(self, block: Block) -> tuple[list[list[bytes]], Lines]:
        """Leave out blank lines, comments and empty cells beyond the last column, and check the width of each row."""
        rows, lines = list[list[bytes]](), list[int]()
        for line, text in enumerate(block.data.split(b"\n"), block.line):
            stripped = text.strip()
            if not stripped or stripped.startswith(b"#"):
                continue
            row = self._split(text, line)
            if not any(map(bytes.strip, row)):
                continue
            rows.append(self._of_full_width(row, line))
            lines.append(line)
        return rows, np.array(lines, dtype=np.int64)

    def _split(self, text: bytes, line: int) -> list[bytes]:
        try:
            return split(text, self._layout.delimiter)
        except ValueError as error:
            raise MotionFileError(self._path, line, f"the row cannot be split into columns: {error}") from None

    def _of_full_width(self, row: list[bytes], line: int) -> list[bytes]:
        while len(row) > self._width and not row[-1].strip():
            row.pop()
        if len(row) != self._width:
            counted = f"{len(row)} {'column' if len(row) == 1 else 'columns'}"
            raise MotionFileError(self._path, line, f"{counted}, but there are {self._width} column names")
        return row

    def _numbers(self, rows: list[list[bytes]], lines: Lines) -> tuple[Floats, Lines]:
        """Read cell by cell: what is missing, commas, clock times, and the line of what is not a number."""
        read = self._layout.read
        values = np.empty((len(rows), len(read)), dtype=np.float64)
        for at, row in enumerate(rows):
            for place, position in enumerate(read):
                try:
                    values[at, place] = self._value(row[position], position)
                except (ValueError, OverflowError):
                    raise self._not_a_number(int(lines[at]), position, row[position]) from None
        return values, lines

    def _value(self, cell: bytes, position: int) -> float:
        if position == self._layout.time:
            return clock_seconds(cell) if b":" in cell else number(cell, decimal_comma=self._decimal_comma)
        return float("nan") if is_missing(cell) else number(cell, decimal_comma=self._decimal_comma)

    def _not_a_number(self, line: int, position: int, cell: bytes) -> MotionFileError:
        label = self._layout.labels[position][:60]
        text = cell.strip().decode("utf-8", "replace")
        shown = repr(text) if len(text) <= 40 else f"{text[:40]!r}..."
        reason = f"column {label!r} is empty" if not text else f"column {label!r} is not a number: {shown}"
        return MotionFileError(self._path, line, reason)
