"""A text file as numbered lines: one at a time for a header, then in blocks for millions of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from motion.files.motion import MotionFileError, OnProgress

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
_TEXT = bytes([0x09, 0x0A, 0x0B, 0x0C, 0x0D, *range(0x20, 0x7F), *range(0x80, 0x100)])
_NOT_TEXT = re.compile(rb"[^" + re.escape(_TEXT) + rb"]")
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF16_START = re.compile(rb"(?:[\t\n\r -~]\x00){4}|(?:\x00[\t\n\r -~]){4}")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, joined by ``\\n`` and without a last one; ``line`` is the number of the first."""

    line: int
    data: bytes


class LineSource:
    """Reads a stream piece by piece, knows the number of each line and refuses what is not text.

    Lines end in LF, CR LF or CR alone, as old Macs and some spreadsheets write.
    """

    def __init__(self, stream: BinaryIO, path: Path, total: int, on_progress: OnProgress | None = None) -> None:
        """Wrap a binary stream of ``total`` bytes; ``path`` is for the error messages only."""
        self._stream = stream
        self._path = path
        self._total = total
        self._on_progress = on_progress
        self._buffer = b""
        self._at = 0
        self._done = 0
        self._return_held = False
        self.line = 0
        """The number of the line given last, 0 at first."""

    def next_line(self) -> bytes | None:
        """Give the next line without its end, or None at the end of the file."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if not self._fill():
                return self._last_line()
        return self._take(end)

    def leading(self, most: int) -> list[tuple[int, bytes]]:
        """Look at the next lines, ``most`` at most, with their numbers; they are given again afterwards."""
        before, lines, size = self.line, list[bytes](), 0
        while len(lines) < most and size < MAX_LINE_BYTES and (line := self.next_line()) is not None:
            lines.append(line)
            size += len(line)
        self._buffer = b"".join(line + b"\n" for line in lines) + self._buffer[self._at :]
        self._at, self.line = 0, before
        return list(enumerate(lines, before + 1))

    def skip(self, count: int) -> None:
        """Pass over so many lines."""
        for _ in range(count):
            self.next_line()

    def blocks(self) -> Iterator[Block]:
        """Give all lines that are left, in blocks of about ``BLOCK_BYTES``."""
        while True:
            end = self._buffer.rfind(b"\n", self._at)
            if end >= 0:
                yield self._take_block(end)
            elif not self._fill():
                break
        if (rest := self._last_line()) is not None:
            yield Block(self.line, rest)

    def _take(self, end: int) -> bytes:
        line = self._buffer[self._at : end]
        self._at = end + 1
        self.line += 1
        self._limit(len(line), self.line)
        return line

    def _take_block(self, end: int) -> Block:
        block = Block(self.line + 1, self._buffer[self._at : end])
        self._at = end + 1
        self.line += block.data.count(b"\n") + 1
        return block

    def _last_line(self) -> bytes | None:
        if self._at >= len(self._buffer):
            return None
        return self._take(len(self._buffer))

    def _fill(self) -> bool:
        """Read on; tell whether anything came."""
        rest = self._buffer[self._at :]
        self._limit(len(rest), self.line + 1)
        data = self._stream.read(BLOCK_BYTES)
        if not data:
            return False
        read, first = len(data), self._done == 0
        data = self._with_plain_ends(self._without_mark(data) if first else data)
        self._require_text(data, rest)
        self._buffer, self._at = rest + data, 0
        self._done += read
        if self._on_progress is not None:
            self._on_progress(min(self._done, self._total), self._total)
        return True

    def _without_mark(self, data: bytes) -> bytes:
        if data.startswith(_UTF16_MARKS) or _UTF16_START.match(data):
            raise MotionFileError(self._path, 1, "the text is UTF-16; save the file as UTF-8")
        return data.removeprefix(_UTF8_MARK)

    def _with_plain_ends(self, data: bytes) -> bytes:
        """End lines with LF alone; a CR at the end of one piece may belong to the LF of the next."""
        if self._return_held:
            data = data.removeprefix(b"\n")
        self._return_held = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data

    def _require_text(self, data: bytes, rest: bytes) -> None:
        if data.translate(None, _TEXT) and (found := _NOT_TEXT.search(data)):
            line = self.line + 1 + rest.count(b"\n") + data.count(b"\n", 0, found.start())
            raise MotionFileError(self._path, line, f"this is not text: it holds the byte 0x{found[0][0]:02x}")

    def _limit(self, length: int, line: int) -> None:
        if length > MAX_LINE_BYTES:
            raise MotionFileError(self._path, line, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
