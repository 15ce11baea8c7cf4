"""Excel workbooks (.xlsx): the first sheet with knee angles, as lines of text that are read as a table is."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

from motion.files.archive import member, opened
from motion.files.motion import MotionFileError
from motion.files.xml_events import Enough, read_events

_BOOK, _LINKS, _STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
_SMALL_BYTES, _STRINGS_BYTES, _SHEET_BYTES = 4 << 20, 64 << 20, 256 << 20
_MOST_SHEETS, _MOST_ROWS, _MOST_CELLS, _MOST_STRINGS = 200, 1_048_576, 8_000_000, 5_000_000
_MOST_COLUMNS = 2_000
"""Further columns are not looked at."""
_MOST_TEXT_BYTES = 256 << 20
_MOST_TEXT = 32_767
"""So long a cell may be, as Excel itself has it."""
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_UNWANTED = str.maketrans('\t\r\n\v\f"', "     '")


class Workbook:
    """The sheets of a workbook by name, each as text with a row to a line and tabs between the cells."""

    def __init__(self, archive: ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        self._parts = _sheets(archive, path)
        self._strings: list[str] | None = None

    @property
    def names(self) -> list[str]:
        """The names of the sheets, in order."""
        return list(self._parts)

    def text(self, name: str, most_rows: int = _MOST_ROWS) -> bytes:
        """Write the first rows of a sheet as text, with an empty line for a row that is not there."""
        if self._strings is None:
            self._strings = _strings(self._archive, self._path)
        sheet = _Sheet(self._strings, most_rows, self._path)
        with member(self._archive, self._parts[name], self._path, _SHEET_BYTES) as stream:
            read_events(stream, sheet, self._path)
        return sheet.written.getvalue()


@contextmanager
def open_workbook(stream: BinaryIO, path: Path) -> Iterator[Workbook]:
    """Open a workbook for as long as the context lasts.

    Raises:
        MotionFileError: It is damaged.
    """
    with opened(stream, path) as archive:
        yield Workbook(archive, path)


class _Texts:
    """Collects the text of elements; a handler of events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: list[str] | None = None
        self._size = 0

    def begin(self) -> None:
        self._parts, self._size = [], 0

    def take(self) -> str:
        text = "".join(self._parts or ())
        self._parts = None
        return text

    def text(self, data: str) -> None:
        if self._parts is None:
            return
        self._size += len(data)
        if self._size > _MOST_TEXT:
            raise MotionFileError(self._path, None, f"a cell of the workbook is longer than {_MOST_TEXT:,} characters")
        self._parts.append(data)


class _Book(_Texts):
    """Reads the names of the sheets, and where they are."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sheets: dict[str, str] = {}
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet" and len(self.sheets) < _MOST_SHEETS:
            links = [value for key, value in attributes.items() if key.rpartition(":")[2] == "id"]
            self.sheets[attributes.get("name", "")] = links[0] if links else ""
        elif name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def end(self, name: str) -> None:
        """Nothing ends."""


def _sheets(archive: ZipFile, path: Path) -> dict[str, str]:
    """Find the parts of the sheets by their names."""
    book = _Book(path)
    for name in (_BOOK, _LINKS):
        with member(archive, name, path, _SMALL_BYTES) as stream:
            read_events(stream, book, path)
    known = set(archive.namelist())
    parts = {sheet: _part(book.targets.get(link, "")) for sheet, link in book.sheets.items()}
    return {sheet: part for sheet, part in parts.items() if part in known}


def _part(target: str) -> str:
    return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


class _Strings(_Texts):
    """Reads the texts that cells share; what is said of their pronunciation is no part of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.strings: list[str] = []
        self._is_spoken = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self.begin()
        self._is_spoken = name == "rPh" or (self._is_spoken and name == "t")

    def end(self, name: str) -> None:
        if name == "si":
            self.strings.append(self.take())
            if len(self.strings) > _MOST_STRINGS:
                raise MotionFileError(self._path, None, "the workbook has too many texts; export CSV instead")
        elif name == "rPh":
            self._is_spoken = False

    def text(self, data: str) -> None:
        if not self._is_spoken:
            super().text(data)


def _strings(archive: ZipFile, path: Path) -> list[str]:
    if _STRINGS not in archive.namelist():
        return []
    strings = _Strings(path)
    with member(archive, _STRINGS, path, _STRINGS_BYTES) as stream:
        read_events(stream, strings, path)
    return strings.strings


class _Sheet(_Texts):
    """Writes the rows of a sheet as they come."""

    def __init__(self, strings: list[str], most_rows: int, path: Path) -> None:
        super().__init__(path)
        self.written = io.BytesIO()
        self._strings = strings
        self._most_rows = most_rows
        self._row = self._rows_written = self._cells = 0
        self._column = 0
        self._kind = "n"
        self._values: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "row":
                self._begin_row(attributes.get("r", ""))
            case "c":
                self._begin_cell(attributes.get("r", ""), attributes.get("t", "n"))
            case "v" | "t":
                self.begin()

    def end(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._put(self.take(), is_text=name == "t")
            case "row":
                self._end_row()

    def _begin_row(self, number: str) -> None:
        self._row = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else self._row + 1
        if not self._rows_written < self._row <= _MOST_ROWS:
            raise MotionFileError(self._path, None, "the rows of the sheet are not in order, or there are too many")
        if self._row > self._most_rows:
            raise Enough
        self._column, self._values = 0, []

    def _begin_cell(self, place: str, kind: str) -> None:
        found = _PLACE.fullmatch(place)
        self._column = _column(found[1]) if found else self._column + 1
        self._cells += 1
        if self._cells > _MOST_CELLS:
            raise MotionFileError(self._path, None, "the sheet has too many cells; export CSV instead")
        self._kind = kind

    def _put(self, value: str, *, is_text: bool) -> None:
        if self._kind == "s" and not is_text:
            value = self._shared(value)
        elif self._kind == "e":
            value = ""
        if not 0 < self._column <= _MOST_COLUMNS:
            return
        self._values.extend([""] * (self._column - len(self._values)))
        self._values[self._column - 1] = f"{self._values[self._column - 1]}{value}"[:_MOST_TEXT]

    def _shared(self, value: str) -> str:
        try:
            return self._strings[int(value)] if not value.startswith("-") else ""
        except (ValueError, IndexError):
            raise MotionFileError(
                self._path, None, "the workbook is damaged: it refers to a text that it has not"
            ) from None

    def _end_row(self) -> None:
        if self._row > self._most_rows or not self._rows_written < self._row:
            return
        self.written.write(b"\n" * (self._row - self._rows_written - 1))
        self._rows_written = self._row
        cells = [value.translate(_UNWANTED).strip().lstrip("#") for value in self._values]
        self.written.write("\t".join(cells).encode("utf-8", "replace") + b"\n")
        if self.written.tell() > _MOST_TEXT_BYTES:
            raise MotionFileError(self._path, None, "the sheet has too much text; export CSV instead")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
