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


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, joined by ``\\n`` and without a last one; ``line`` is the number of the first."""

    line: int
    data: bytes


class LineSource:
    """Reads a stream piece by piece, knows the number of each line and refuses what is not text."""

    def __init__(self, stream: BinaryIO, path: Path, total: int, on_progress: OnProgress | None = None) -> None:
        """Wrap a binary stream of ``total`` bytes; ``path`` is for the error messages only."""
        self._stream = stream
        self._path = path
        self._total = total
        self._on_progress = on_progress
        self._buffer = b""
        self._at = 0
        self._done = 0
        self.line = 0
        """The number of the line given last, 0 at first."""

    def next_line(self) -> bytes | None:
        """Give the next line without its end, or None at the end of the file."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if not self._fill():
                return self._last_line()
        return self._take(end)

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
        return line.rstrip(b"\r")

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
        if self._done == 0:
            data = self._without_mark(data)
        self._require_text(data)
        self._buffer, self._at = rest + data, 0
        self._done += len(data)
        if self._on_progress is not None:
            self._on_progress(min(self._done, self._total), self._total)
        return True

    def _without_mark(self, data: bytes) -> bytes:
        if data.startswith(_UTF16_MARKS):
            raise MotionFileError(self._path, 1, "the text is UTF-16; save the file as UTF-8")
        self._done += len(_UTF8_MARK) if data.startswith(_UTF8_MARK) else 0
        return data.removeprefix(_UTF8_MARK)

    def _require_text(self, data: bytes) -> None:
        if data.translate(None, _TEXT) and (found := _NOT_TEXT.search(data)):
            line = self.line + 1 + data.count(b"\n", 0, found.start())
            raise MotionFileError(self._path, line, f"this is not text: it holds the byte 0x{found[0][0]:02x}")

    def _limit(self, length: int, line: int) -> None:
        if length > MAX_LINE_BYTES:
            raise MotionFileError(self._path, line, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
