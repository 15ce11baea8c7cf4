"""An export that is open for reading: its manifest, the lines of its tables, the bytes of its arrays.

Nothing is unpacked to disk; of documents a line is in memory, of arrays a piece.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from synovia.export import tar
from synovia.export.errors import ExportError
from synovia.export.manifest import FOLDER, LONGEST, NAME, folder_of, manifest_of
from synovia_protocol.arrays import CHUNK_BYTES, ITEM_BYTES

LONGEST_LINE: Final = 128 * 1024 * 1024
"""Bytes; a document has 16 MiB of BSON at most."""
MOST_INFLATED: Final = LONGEST_LINE + 16 * 1024 * 1024
"""Bytes that one part may have: parts are cut where they have 8 MiB and a line is whole."""
_CHUNK: Final = 256 * 1024
_PART = re.compile(rf"documents/({FOLDER})/([0-9]{{6,}})\.jsonl\.gz\Z")
_ARRAY = re.compile(rf"arrays/([0-9a-f]{{64}})\.({'|'.join(ITEM_BYTES)})\Z")


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array of the export."""

    digest: bytes
    dtype: str
    member: tar.Member

    @property
    def length(self) -> int:
        """How many elements it has."""
        return self.member.size // ITEM_BYTES[self.dtype]


class Archive:
    """An export that is open for reading.

    Args:
        path: The file.

    Raises:
        ExportError: It is not there, no export, was cut, or lacks parts of a table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise ExportError(f"{path}: {error.strerror or error}") from None
        try:
            self._parts: dict[str, dict[int, tar.Member]] = {}
            self._look_through()
        except ExportError as error:
            self._file.close()
            raise ExportError(f"{path}: {error}") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _look_through(self) -> None:
        manifest: tar.Member | None = None
        for member in tar.members(self._file):
            if member.name == NAME:
                if manifest is not None:
                    raise ExportError(f"{NAME} is there twice")
                manifest = member
            elif part := _PART.match(member.name):
                self._take_part(part[1], int(part[2]), member)
            elif (array := _ARRAY.match(member.name)) is None or member.size % ITEM_BYTES[array[2]]:
                raise ExportError(f"{member.name!r:.120} is nothing that an export holds")
        if manifest is None or manifest.size > LONGEST:
            raise ExportError(f"there is no {NAME} in it; is it what `synovia export` wrote?")
        self.manifest_bytes = b"".join(self._pieces(manifest))
        self.manifest = manifest_of(self.manifest_bytes)
        self._check_parts()

    def _take_part(self, folder: str, number: int, member: tar.Member) -> None:
        if self._parts.setdefault(folder, {}).setdefault(number, member) is not member:
            raise ExportError(f"{member.name} is there twice")

    def _check_parts(self) -> None:
        told = self.manifest.tables
        unknown = self._parts.keys() - set(map(folder_of, told))
        if unknown:
            raise ExportError(f"{NAME} says nothing of the table {min(unknown)}")
        for table, contents in told.items():
            there = self._parts.get(folder_of(table), {})
            if len(there) != contents.parts or (there and max(there) != contents.parts):
                raise ExportError(f"{table}: {NAME} tells of {contents.parts:,} parts; {len(there):,} are there")

    # --- documents ----------------------------------------------------------------------------------------------------

    def lines(self, table: str) -> Iterator[tuple[str, bytes]]:
        """Give the lines of a table, each with its place.

        Raises:
            ExportError: A part cannot be read, or has a line that is too long.
        """
        for _, member in sorted(self._parts.get(folder_of(table), {}).items()):
            for number, line in enumerate(self._lines_of(member), 1):
                yield f"{member.name}:{number}", line

    def _lines_of(self, member: tar.Member) -> Iterator[bytes]:
        carried, size = bytearray(), 0
        for piece in self._inflated(member):
            size += len(piece)
            if size > MOST_INFLATED:
                raise ExportError(f"{member.name}: it has more than {MOST_INFLATED:,} bytes in {member.size:,}")
            if b"\n" not in piece:
                carried += piece
                continue
            first, *whole, rest = piece.split(b"\n")
            yield bytes(carried + first)
            yield from whole
            carried = bytearray(rest)
        if carried:
            raise ExportError(f"{member.name}: its last line has no end")

    def _inflated(self, member: tar.Member) -> Iterator[bytes]:
        gzip = zlib.decompressobj(31)
        try:
            for piece in self._pieces(member):
                rest = piece
                while rest and not gzip.eof:
                    yield gzip.decompress(rest, _CHUNK)
                    rest = gzip.unconsumed_tail
        except zlib.error as error:
            raise ExportError(f"{member.name}: it cannot be read as gzip: {error}") from None
        if not gzip.eof or gzip.unused_data:
            raise ExportError(f"{member.name}: it cannot be read as gzip: it was cut, or something follows")

    # --- arrays -------------------------------------------------------------------------------------------------------

    def arrays(self) -> Iterator[ArrayFile]:
        """Give the arrays in the order in which they lie in the file."""
        for member in tar.members(self._file):
            if (found := _ARRAY.match(member.name)) is not None:
                yield ArrayFile(bytes.fromhex(found[1]), found[2], member)

    def chunks(self, array: ArrayFile) -> Iterator[bytes]:
        """Give the bytes of an array, chunk by chunk."""
        return self._pieces(array.member, CHUNK_BYTES)

    def _pieces(self, member: tar.Member, size: int = _CHUNK) -> Iterator[bytes]:
        """Give the bytes of a file; others may be read meanwhile."""
        for start in range(0, member.size, size):
            self._file.seek(member.offset + start)
            piece = self._file.read(min(size, member.size - start))
            if len(piece) < min(size, member.size - start):
                raise ExportError(f"{member.name}: it was cut")
            yield piece
