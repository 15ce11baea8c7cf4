"""Reading a motion file of any kind: its format is told first, then its samples become a motion in one way for all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from motion.files.c3d_file import read_c3d
from motion.files.columns import ColumnNames
from motion.files.formats import Format, format_of
from motion.files.lines import LineSource
from motion.files.measured import Measured, Options, motion_of
from motion.files.motion import Motion, OnProgress
from motion.files.mvnx import read_mvnx
from motion.files.opensim import read_opensim
from motion.files.sheets import read_workbook
from motion.files.table import read_table
from motion.files.vicon import seek_model_outputs
from motion.files.words import AngleUnit, TimeUnit


def read_motion(
    path: str | os.PathLike[str],
    *,
    names: ColumnNames | None = None,
    radians: bool | None = None,
    sample_rate: float | None = None,
    time_unit: TimeUnit | None = None,
    allow_uneven: bool = False,
    file_name: str | None = None,
    on_progress: OnProgress | None = None,
) -> Motion:
    """Read the knee angles of a motion file, in degrees at an even rate.

    Args:
        path: An OpenSim or SIMM file, a table (CSV and the like, Excel), Vicon's ASCII, C3D or MVNX; content decides.
        names: The columns to read, where their names do not tell.
        radians: Whether the file's angles are radians; None: what the file says, and degrees if it is silent.
        sample_rate: Hz, for a file without times.
        time_unit: The unit of the times; None: what the file says, or what their size tells.
        allow_uneven: Interpolate over missing samples instead of refusing the file.
        file_name: What its owner calls the file, if it has another name here: names tell what is in a file.
        on_progress: Called with bytes read and bytes in all.

    Raises:
        MotionFileError: The file is damaged or holds no angles of knees; says at which line, and what may help.
        OSError: The file cannot be opened.
    """
    path = Path(path)
    unit: AngleUnit | None = None if radians is None else ("radians" if radians else "degrees")
    options = Options(names or ColumnNames(), unit, sample_rate, time_unit, allow_uneven)
    with path.open("rb") as stream:
        name = file_name or path.name
        measured = _measured(format_of(stream, path, name), stream, path, name, options, on_progress)
        return motion_of(measured, options, path)


def _measured(
    kind: Format, stream: BinaryIO, path: Path, name: str, options: Options, on_progress: OnProgress | None
) -> Measured:
    match kind:
        case "c3d":
            return read_c3d(stream, path, options)
        case "mvnx":
            return read_mvnx(stream, path)
        case "workbook":
            return read_workbook(stream, path, options)
    source = LineSource(stream, path, os.fstat(stream.fileno()).st_size, on_progress)
    if kind == "opensim":
        return read_opensim(source, path, name, options)
    if kind == "vicon":
        return read_table(source, path, options, rate=seek_model_outputs(source, path), ends_at_blank=True)
    return read_table(source, path, options)
