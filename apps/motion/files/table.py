"""Tables of text, such as CSV: names of columns, perhaps units, rows of cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motion.files.angles import Told
from motion.files.columns import ColumnError, ColumnNames, Columns, choose
from motion.files.lines import LineSource
from motion.files.measured import Measured, Options
from motion.files.motion import SIDES, Floats, MotionFileError, Side
from motion.files.numbers import Layout, Table, read_numbers
from motion.files.table_header import TableHeader, read_table_header
from motion.files.words import AngleUnit, words_of

MOST_LABELS = 500
"""So many names of columns are given with an error, to choose from."""
_XSENS_RATE = 60.0


def read_table(
    source: LineSource, path: Path, options: Options, *, rate: float | None = None, ends_at_blank: bool = False
) -> Measured:
    """Read the samples of a table.

    Args:
        source: The lines, from what stands above the names of the columns on.
        path: For the error messages.
        options: What the caller says.
        rate: Hz, if the file has told it already.
        ends_at_blank: Whether a blank line ends the rows.

    Raises:
        MotionFileError: It is damaged, or has no angles of knees.
    """
    header = read_table_header(source, path, options.names)
    columns = chosen(header.labels, options.names, path, header.line)
    unit = _unit(header, columns, path)
    layout = Layout(header.labels, read_columns(columns), columns.time, header.delimiter, False, ends_at_blank)
    table = read_numbers(source, layout, path)
    told = Told(options.unit, unit, line=header.line)
    measured = Measured(knees_of(table, columns), table.lines, told, line=header.line, labels=header.labels)
    measured.rate = rate or header.rate
    if columns.time is not None:
        measured.times = table.columns[columns.time]
        measured.time_unit = columns.time_unit or header.time_unit(columns.time)
    elif columns.frame is not None:
        measured.frames = table.columns[columns.frame]
        _assume_rate(measured, options)
    return measured


def chosen(labels: Sequence[str], names: ColumnNames, path: Path, line: int) -> Columns:
    """Find the columns, or say which there are to choose from."""
    try:
        return choose(labels, names)
    except ColumnError as error:
        shown = [label[:100] for label in labels[:MOST_LABELS]]
        raise MotionFileError(path, line, str(error), remedies=("columns",), columns=shown) from None


def read_columns(columns: Columns) -> tuple[int, ...]:
    """Give the positions to read: of the knees, and of the time, or of the frames where there is no time."""
    clock = columns.time if columns.time is not None else columns.frame
    return tuple(at for at in (columns.left, columns.right, clock) if at is not None)


def knees_of(table: Table, columns: Columns) -> dict[Side, Floats]:
    """Give the knees that a table has."""
    return {side: table.columns[at] for side in SIDES if (at := columns.of(side)) is not None}


def _unit(header: TableHeader, columns: Columns, path: Path) -> AngleUnit | None:
    """Tell the unit of the angles by the names of their columns, or by the row of units below."""
    places = [at for side in SIDES if (at := columns.of(side)) is not None]
    try:
        units = {header.angle_unit(at) for at in places} - {None}
    except ValueError as error:
        reason = f"the row of units says {str(error)[:40]!r}, which is no unit of an angle"
        raise MotionFileError(path, header.line + 1, reason) from None
    if len(units) > 1:
        raise MotionFileError(path, header.line + 1, "one knee is in radians and one in degrees")
    return columns.angle_unit or (units.pop() if units else None)


def _assume_rate(measured: Measured, options: Options) -> None:
    """Take the usual rate of Xsens MVN for its tables of joint angles, which number the frames and tell no rate."""
    kinds = {"abduction", "rotation", "flexion"}
    words = {word for label in measured.labels for word in words_of(label)}
    if measured.rate is None and options.sample_rate is None and kinds <= words:
        measured.rate = _XSENS_RATE
        measured.warnings.append(
            f"the table numbers its frames and tells no rate; it is taken as {_XSENS_RATE:g} Hz, as MVN records: "
            "if not, give the sample rate"
        )
