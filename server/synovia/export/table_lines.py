"""A CSV file or JSON lines of other programs, row by row: maps with the numbers of their lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from synovia.export.errors import ExportError
from synovia.export.plain import Format
from synovia.export.strict_json import BadJson, StrictDecoder

LONGEST: Final = 16 * 1024 * 1024
"""Characters of a cell, bytes of a line; a document has no more."""
_DECODER: Final = StrictDecoder()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: Where it begins, from 1.
        fields: By the names in the file; of CSV all are texts.
        fault: Why it cannot be read; empty: it can.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


def rows_of(file: Path, format_: Format) -> Iterator[Row]:
    """Read a file; empty lines are passed over.

    Raises:
        ExportError: It cannot be read, or its first line is no line of column names.
    """
    try:
        yield from _csv_rows(file) if format_ == "csv" else _json_rows(file)
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ExportError(f"{file}: it is not UTF-8 at byte {error.start:,} of a piece of it") from None


def _json_rows(file: Path) -> Iterator[Row]:
    with file.open("rb") as lines:
        number = 0
        while line := lines.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise ExportError(f"{file}:{number}: a line of more than {LONGEST:,} bytes")
            if line.strip():
                yield _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row:
    try:
        value = _DECODER.decode(line)
    except BadJson as error:
        return Row(number, fault=str(error))
    return Row(number, value) if isinstance(value, dict) else Row(number, fault="it is no map")


def _csv_rows(file: Path) -> Iterator[Row]:
    csv.field_size_limit(LONGEST)
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            names = next(reader, [])
            _check_names(file, names)
            before = reader.line_num
            for cells in reader:
                line, before = before + 1, reader.line_num
                if cells:
                    yield _csv_row(line, names, cells)
        except csv.Error as error:
            raise ExportError(f"{file}:{reader.line_num}: it is no CSV: {error}") from None


def _check_names(file: Path, names: list[str]) -> None:
    if not names or not all(names):
        raise ExportError(f"{file}:1: the first line names the columns, each with a name")
    if len({*names}) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ExportError(f"{file}:1: two columns are named {twice!r:.80}")


def _csv_row(line: int, names: list[str], cells: list[str]) -> Row:
    if len(cells) != len(names):
        return Row(line, fault=f"it has {len(cells)} cells; {len(names)} columns are named")
    return Row(line, dict(zip(names, cells, strict=True)))
