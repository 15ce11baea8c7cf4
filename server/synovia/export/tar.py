"""A tar of plain files (ustar): written as a stream, read one member at a time, in memory that does not grow with it.

The module of the standard library keeps every member it has seen, and takes links, devices and headers of any length; an
export has none of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from synovia.export.errors import ExportError

BLOCK: Final = 512
_END: Final = bytes(2 * BLOCK)
_LARGEST_OCTAL: Final = 8**11
_FILE, _FOLDER = (b"0", b"\0"), b"5"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the tar.

    Attributes:
        name: Its name.
        size: Its bytes.
        offset: Where they begin.
    """

    name: str
    size: int
    offset: int


def header(name: str, size: int, seconds: int) -> bytes:
    """Give the header of a file.

    Args:
        name: At most 100 characters of ASCII.
        size: Its bytes; from 8 GiB on as GNU writes them.
        seconds: When it was made, since 1970.
    """
    length = b"%011o\0" % size if size < _LARGEST_OCTAL else b"\x80" + size.to_bytes(11)
    fields = name.encode("ascii").ljust(100, b"\0"), b"0000600\0", b"0000000\0" * 2, length, b"%011o\0" % seconds
    block = b"".join((*fields, b" " * 8, b"0", bytes(100), b"ustar\x0000")).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padding(size: int) -> bytes:
    """Give what fills the last block of a file."""
    return bytes(-size % BLOCK)


def end() -> bytes:
    """Give what ends a tar."""
    return _END


def members(file: BinaryIO) -> Iterator[Member]:
    """Give the files of a tar in order; their bytes are passed over.

    Raises:
        ExportError: It is none, or was cut, or holds something else than files.
    """
    offset, length = 0, file.seek(0, 2)
    while True:
        file.seek(offset)
        block = file.read(BLOCK)
        if len(block) == BLOCK and not any(block):
            return
        if len(block) < BLOCK:
            raise ExportError("it was cut: the end of the tar is missing")
        member = _member(block, offset)
        if member is not None:
            if member.offset + member.size > length:
                raise ExportError(f"it was cut in {member.name}")
            yield member
            offset = member.offset + member.size + -member.size % BLOCK
        else:
            offset += BLOCK


def _member(block: bytes, offset: int) -> Member | None:
    """Read a header; None: it is that of a folder."""
    if block[257:262] != b"ustar" or _number(block[148:156]) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise ExportError(f"it is no export: there is no header of a tar at byte {offset:,}")
    before, name = _text(block[345:500]), _text(block[:100])
    name = f"{before}/{name}" if before and block[262:264] != b" \0" else name  # GNU keeps other things in there
    kind = block[156:157]
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable():
        raise ExportError(f"the name {name!r:.120} leads out of the archive")
    if kind not in _FILE and kind != _FOLDER:
        raise ExportError(f"{name!r:.120} is no plain file; pack it again with tar --format=ustar")
    return None if kind == _FOLDER else Member(str(PurePosixPath(name)), _number(block[124:136]), offset + BLOCK)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _number(field: bytes) -> int:
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:])
    digits = field.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise ExportError(f"it is no export: {field!r} is no number of a tar")
    return int(digits, 8)
