"""ZIP archives from anybody: the directory is bounded before it is read, and so is what comes out of each member."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from motion.files.motion import MotionFileError

MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 4 << 20
_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_MOST_COMMENT = 0xFFFF
DAMAGED = "this is a damaged ZIP archive or workbook; save it again"
_FAULTS = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError, RuntimeError, OSError, struct.error)


@contextmanager
def opened(stream: BinaryIO, path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive, and leave the stream at its beginning afterwards.

    Raises:
        MotionFileError: It is damaged, or its directory is absurdly long.
    """
    try:
        _require_small_directory(stream, path)
        archive = zipfile.ZipFile(stream)
    except _FAULTS:
        raise MotionFileError(path, None, DAMAGED) from None
    try:
        yield archive
    finally:
        archive.close()
        stream.seek(0)


@contextmanager
def member(archive: zipfile.ZipFile, name: str, path: Path, most: int) -> Iterator[IO[bytes]]:
    """Open a member of at most ``most`` bytes; no more than its directory entry says comes out of it.

    Raises:
        MotionFileError: It is not there, damaged or too large.
    """
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise MotionFileError(path, None, f"the workbook is damaged: it has no {name}") from None
    if size > most:
        raise MotionFileError(path, None, f"{name} in the workbook is larger than {most >> 20} MB; export CSV instead")
    try:
        with archive.open(name) as stream:
            yield stream
    except (zlib.error, EOFError, *_FAULTS):
        raise MotionFileError(path, None, DAMAGED) from None


def _require_small_directory(stream: BinaryIO, path: Path) -> None:
    # zipfile makes an object of each entry, and trusts the 64-bit record before the end record if there is one
    stream.seek(0, 2)
    total = stream.tell()
    stream.seek(max(0, total - _END_BYTES - _MOST_COMMENT - _LOCATOR_BYTES))
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise zipfile.BadZipFile
    members, size = struct.unpack_from("<H", tail, at + 10)[0], struct.unpack_from("<L", tail, at + 12)[0]
    if at >= _LOCATOR_BYTES and tail[at - _LOCATOR_BYTES :].startswith(_LOCATOR):
        stream.seek(struct.unpack_from("<Q", tail, at - _LOCATOR_BYTES + 8)[0])
        members, size = struct.unpack_from("<QQ", stream.read(56), 32)
    if members > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        raise MotionFileError(path, None, "this archive has too many files in it to be a workbook")
