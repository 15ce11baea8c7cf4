"""Rows of text to columns of float64: whole blocks at a time, and cell by cell only to name the line at fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motion.files.lines import Block, LineSource
from motion.files.motion import Floats, MotionFileError

Lines = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is written.

    Attributes:
        labels: The names of all columns, in order.
        wanted: The positions of the columns to keep.
        delimiter: One byte, or None for runs of blanks.
        all_numbers: Whether the columns that are not kept have to be numbers too.
        rows: How many rows there should be, or None; ``rows_key`` says who claims it.
    """

    labels: tuple[str, ...]
    wanted: tuple[int, ...]
    delimiter: bytes | None = None
    all_numbers: bool = True
    rows: int | None = None
    rows_key: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The kept columns in the order of ``Layout.wanted``, each of shape ``(n,)``, and the line of each row."""

    columns: tuple[Floats, ...]
    lines: Lines


def read_numbers(source: LineSource, layout: Layout, path: Path) -> Table:
    """Read all rows that are left.

    Raises:
        MotionFileError: A row has the wrong number of columns or something that is not a number, or rows are missing.
    """
    reader = _Reader(layout, path)
    parts: list[tuple[Floats, Lines]] = []
    count = 0
    for block in source.blocks():
        values, lines = reader.read(block)
        count += len(lines)
        if layout.rows is not None and count > layout.rows:
            extra = int(lines[len(lines) - (count - layout.rows)])
            raise MotionFileError(path, extra, f"more rows than the {layout.rows:,} that {layout.rows_key} says")
        parts.append((values, lines))
    if layout.rows is not None and count < layout.rows:
        reason = f"the file ends after {count:,} rows, but {layout.rows_key} says {layout.rows:,}"
        raise MotionFileError(path, source.line, reason)
    if not count:
        raise MotionFileError(path, source.line, "no rows of numbers follow the column names")
    lines = np.concatenate([lines for _, lines in parts])
    columns = (np.concatenate([values[:, at] for values, _ in parts]) for at in range(len(layout.wanted)))
    return Table(tuple(columns), lines)


class _Reader:
    """Turns blocks into numbers."""

    def __init__(self, layout: Layout, path: Path) -> None:
        self._layout = layout
        self._path = path
        self._decimal_comma = layout.delimiter not in (b",", None)

    def read(self, block: Block) -> tuple[Floats, Lines]:
        """Read one block: values of shape ``(rows, wanted)`` and the line of each row."""
        rows, lines = self._rows(block)
        wanted = self._layout.wanted
        if self._layout.all_numbers:
            return self._numbers(rows, lines, len(self._layout.labels))[:, list(wanted)], lines
        return self._numbers([[row[at] for at in wanted] for row in rows], lines, len(wanted)), lines

    def _rows(self, block: Block) -> tuple[list[list[bytes]], Lines]:
        delimiter, width = self._layout.delimiter, len(self._layout.labels)
        texts = block.data.split(b"\n")
        if b'"' not in block.data and b"#" not in block.data:
            rows = [text.split(delimiter) for text in texts]
            if width > 1 and set(map(len, rows)) == {width}:
                return rows, np.arange(block.line, block.line + len(rows))
        return self._careful_rows(texts, block.line, width)

    def _careful_rows(self, texts: list[bytes], first: int, width: int) -> tuple[list[list[bytes]], Lines]:
        """Leave out blank lines and comments, undo quotes, and check the width of each row by itself."""
        rows, lines = [], []
        for line, text in self._used(texts, first):
            row = self._split(text)
            if len(row) != width:
                reason = f"{len(row)} {'column' if len(row) == 1 else 'columns'}, but there are {width} column names"
                raise MotionFileError(self._path, line, reason)
            rows.append(row)
            lines.append(line)
        return rows, np.array(lines, dtype=np.int64)

    def _used(self, texts: list[bytes], first: int) -> Iterator[tuple[int, bytes]]:
        for line, text in enumerate(texts, first):
            stripped = text.strip()
            if stripped and not stripped.startswith(b"#"):
                yield line, text.rstrip(b"\r")

    def _split(self, text: bytes) -> list[bytes]:
        delimiter = self._layout.delimiter
        if delimiter is None or b'"' not in text:
            return text.split(delimiter)
        cells = next(csv.reader([text.decode("latin-1")], delimiter=delimiter.decode("latin-1")))
        return [cell.encode("latin-1") for cell in cells]

    def _numbers(self, rows: list[list[bytes]], lines: Lines, width: int) -> Floats:
        # A first pass trusts the rows. float() takes an underscore between digits, which no motion file means.
        cells = list(chain.from_iterable(rows))
        try:
            values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
        except ValueError:
            return self._careful_numbers(rows, lines, width)
        if any(b"_" in row for row in cells):
            return self._careful_numbers(rows, lines, width)
        return values.reshape(len(rows), width)

    def _careful_numbers(self, rows: list[list[bytes]], lines: Lines, width: int) -> Floats:
        """Read cell by cell: commas for points where the file means them, and the line of what is not a number."""
        values = np.empty((len(rows), width), dtype=np.float64)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                try:
                    values[at, column] = self._number(cell)
                except ValueError:
                    raise self._not_a_number(int(lines[at]), column, cell) from None
        return values

    def _number(self, cell: bytes) -> float:
        if b"_" in cell:
            raise ValueError(cell)
        return float(cell.replace(b",", b".") if self._decimal_comma else cell)

    def _not_a_number(self, line: int, column: int, cell: bytes) -> MotionFileError:
        layout = self._layout
        label = layout.labels[column if layout.all_numbers else layout.wanted[column]]
        text = cell.strip().decode("utf-8", "replace")
        shown = repr(text) if len(text) <= 40 else f"{text[:40]!r}..."
        reason = f"column {label!r} is empty" if not text else f"column {label!r} is not a number: {shown}"
        return MotionFileError(self._path, line, reason)
