"""Which sheet of a workbook to read, and at which rate."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from motion.files.columns import ColumnNames, has_knee
from motion.files.lines import LineSource
from motion.files.measured import Measured, Options
from motion.files.motion import MotionFileError
from motion.files.table import read_table
from motion.files.table_header import LEADING_LINES, rate_in, read_table_header
from motion.files.workbook import Workbook, open_workbook


def read_workbook(stream: BinaryIO, path: Path, options: Options) -> Measured:
    """Read the first sheet that has angles of knees, in the order in which the workbook has them.

    Raises:
        MotionFileError: It is damaged, or no sheet has them.
    """
    with open_workbook(stream, path) as book:
        rate: float | None = None
        for name in book.names:
            beginning = book.text(name, LEADING_LINES)
            if _has_knees(beginning, path, options.names):
                measured = read_table(_lines(book.text(name), path), path, options, rate=rate)
                measured.name = name
                return measured
            rate = rate or rate_in(beginning.decode().splitlines())
        raise MotionFileError(path, None, _without(book))


def _has_knees(beginning: bytes, path: Path, names: ColumnNames) -> bool:
    try:
        return has_knee(read_table_header(_lines(beginning, path), path, names).labels, names)
    except MotionFileError:
        return False


def _lines(text: bytes, path: Path) -> LineSource:
    return LineSource(io.BytesIO(text), path, len(text))


def _without(book: Workbook) -> str:
    shown = ", ".join(repr(name[:31]) for name in book.names[:8])
    return f"no sheet of the workbook ({shown}) has a column that is a knee's angle; name it, or export another sheet"
