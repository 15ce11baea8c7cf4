"""OpenSim's ``.mot`` and ``.sto``, and SIMM's ``.mot``: a header, names of columns, rows of numbers."""

from __future__ import annotations

from pathlib import Path

from motion.files.angles import Told
from motion.files.contents import are_angles, no_angles
from motion.files.header import Header, read_opensim_header
from motion.files.lines import LineSource
from motion.files.measured import Measured, Options
from motion.files.motion import MotionFileError
from motion.files.numbers import Layout, Table, read_numbers
from motion.files.table import chosen, knees_of, read_columns


def read_opensim(source: LineSource, path: Path, name: str, options: Options) -> Measured:
    """Read the samples of an OpenSim or SIMM file; ``name`` is what its owner calls it.

    Raises:
        MotionFileError: It is damaged, or says that its numbers are no angles.
    """
    header = read_opensim_header(source, path)
    is_ours = header.sample_rate is not None
    _require_angles(header, path, name, is_ours=is_ours)
    columns = chosen(header.labels, options.names, path, header.labels_line)
    layout = Layout(header.labels, read_columns(columns), columns.time, header.delimiter)
    table = read_numbers(source, layout, path)
    told = Told(options.unit, columns.angle_unit, header.unit, are_angles(header.title), is_ours, header.labels_line)
    return Measured(
        knees=knees_of(table, columns),
        lines=table.lines,
        told=told,
        times=None if columns.time is None else table.columns[columns.time],
        time_unit=columns.time_unit,
        exact_rate=header.sample_rate,
        span=header.span,
        name=header.name,
        line=header.labels_line,
        labels=header.labels,
        warnings=[*header.warnings, *_counted(header, table)],
    )


def _require_angles(header: Header, path: Path, name: str, *, is_ours: bool) -> None:
    """Refuse what the title or the name of the file says to be something else."""
    if not is_ours and (what := no_angles(header.title, name)) is not None:
        reason = f"the numbers are {what}, no joint angles, whatever the columns are called"
        raise MotionFileError(path, 1, f"{reason}; import the file of coordinates instead")


def _counted(header: Header, table: Table) -> list[str]:
    """Say where the header's count of rows is wrong."""
    count = len(table.lines)
    if header.rows is None or int(header.rows.value) == count:
        return []
    claimed = int(header.rows.value)
    cut = "; the file may be cut off" if count < claimed else ""
    return [f"the header says {claimed:,} rows ({header.rows}), but {count:,} follow{cut}"]
