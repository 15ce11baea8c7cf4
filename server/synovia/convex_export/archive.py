"""The zip file of an export: what is in it, and the lines of its files.

Nothing is unpacked to disk, and no file is held as a whole: a line at a time is, and lines have a bound.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from synovia.export.errors import ExportError

LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes; a document of Convex has at most 1 MiB, and its JSON a few times that."""
MOST_FOLDED: Final = 200
"""A file that grows by more than this factor, and beyond ``_SMALL``, is taken for an attack."""
_SMALL: Final = 64 * 1024 * 1024
_CHUNK: Final = 256 * 1024

_TABLES, _FILES, _COMPONENTS = "_tables", "_storage", "_components"
_DOCUMENTS, _SHAPE = "documents.jsonl", "generated_schema.jsonl"
_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)


@dataclass(frozen=True, slots=True)
class Files:
    """Stored files, which an export has beside documents."""

    count: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Contents:
    """What an export holds.

    Attributes:
        tables: The files of the documents, by table.
        shapes: The files that say what the documents of a table look like, by table.
        system: Tables of Convex's own, and those of components, with the files of their documents.
        files: What is in its file storage.
    """

    tables: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    shapes: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    system: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    files: Files = field(default_factory=Files)


class Archive:
    """An export that is open for reading.

    Args:
        path: The zip file.

    Raises:
        ExportError: It is not there, no zip file, broken, or no export.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise ExportError(f"{path}: {_reason(error)}") from None
        try:
            self.contents = _contents(path, self._zip.infolist())
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def lines(self, member: zipfile.ZipInfo) -> Iterator[tuple[int, bytes]]:
        """Give the lines of a file with their numbers, from 1; empty ones are passed over.

        Raises:
            ExportError: It cannot be read, or a line is too long.
        """
        number, carried = 0, b""
        for chunk in self._chunks(member):
            *whole, carried = (carried + chunk).split(b"\n")
            for line in whole:
                number += 1
                if line.strip():
                    yield number, line
            if len(carried) > LONGEST_LINE:
                raise ExportError(f"{member.filename}:{number + 1}: a line of more than {LONGEST_LINE:,} bytes")
        if carried.strip():
            yield number + 1, carried

    def _chunks(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(member) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except (*_BROKEN, RuntimeError) as error:
            raise ExportError(f"{member.filename}: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RuntimeError) and not isinstance(error, NotImplementedError):
        return "it is encrypted"
    return f"it cannot be read as a zip file: {error or type(error).__name__}"


# --- what is in it ----------------------------------------------------------------------------------------------------


def _contents(path: Path, members: list[zipfile.ZipInfo]) -> Contents:
    faults = [fault for member in members for fault in _faults_of(member)]
    if faults:
        raise ExportError("\n".join(f"{path}: {fault}" for fault in faults[:20]))
    found = {member.filename: member for member in members if not member.is_dir()}
    if len(found) != sum(not member.is_dir() for member in members):
        raise ExportError(f"{path}: two files in it have one name")
    contents = _sorted_out(found, _folder_around(found))
    if not contents.tables and f"{_folder_around(found)}{_TABLES}/{_DOCUMENTS}" not in found:
        raise ExportError(f"{path}: there is no table in it; is it what `npx convex export` wrote?")
    _check_names(path, contents.tables)
    return contents


def _faults_of(member: zipfile.ZipInfo) -> Iterator[str]:
    name = member.filename
    parts = name.rstrip("/").split("/")
    if "\\" in name or name.startswith("/") or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        yield f"the name {name!r} leads out of the archive"
    if member.file_size > _SMALL and member.file_size > MOST_FOLDED * max(member.compress_size, 1):
        yield (
            f"{name!r} has {member.file_size:,} bytes in {member.compress_size:,}, which is how an attack looks; if it is"
            " none, pack it again without compression (zip -0)"
        )


def _folder_around(found: Mapping[str, object]) -> str:
    """Give the folder in which everything lies, with a slash; mostly there is none."""
    for name in found:
        before, _, _ = name.rpartition(f"{_TABLES}/{_DOCUMENTS}")
        if before.count("/") == 1 and all(each.startswith(before) for each in found):
            return before
    return ""


def _sorted_out(found: Mapping[str, zipfile.ZipInfo], prefix: str) -> Contents:
    contents = Contents()
    for name, member in found.items():
        *folders, file = name.removeprefix(prefix).split("/")
        if folders[:1] == [_FILES] and file != _DOCUMENTS:
            if file != _SHAPE:
                contents.files = Files(contents.files.count + 1, contents.files.bytes + member.file_size)
        elif folders[:1] == [_COMPONENTS]:
            if file == _DOCUMENTS and folders[-1:] != [_TABLES]:
                contents.system["/".join(folders)] = member
        elif len(folders) == 1 and file == _DOCUMENTS and not folders[0].startswith("_"):
            contents.tables[folders[0]] = member
        elif len(folders) == 1 and file == _SHAPE:
            contents.shapes[folders[0]] = member
        elif len(folders) == 1 and file == _DOCUMENTS and folders[0] not in (_TABLES, _FILES):
            contents.system[folders[0]] = member
    return contents


def _check_names(path: Path, tables: Mapping[str, object]) -> None:
    wrong = [name for name in tables if not _TABLE_NAME.match(name)]
    if wrong:
        raise ExportError("\n".join(f"{path}: {name!r:.80} cannot be the name of a table" for name in wrong[:20]))


def shape_of(archive: Archive, table: str) -> str:
    """Give the first line of what the export says of a table's documents: ``"uniform"``, or a shape of older times."""
    member = archive.contents.shapes.get(table)
    if member is None:
        return '"uniform"'
    return next((line.decode("utf-8", "replace").strip() for _, line in archive.lines(member)), '"uniform"')
