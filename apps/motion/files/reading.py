"""Reading a motion file: OpenSim ``.mot`` and ``.sto``, older SIMM ``.mot``, and CSV."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from motion.files.columns import ColumnError, ColumnNames, Columns, choose
from motion.files.header import Header, read_csv_header, read_opensim_header
from motion.files.lines import LineSource
from motion.files.motion import Floats, Motion, MotionFileError, OnProgress
from motion.files.numbers import Layout, Table, read_numbers
from motion.files.sampling import Sampling, resample, sampling_of

Format = Literal["opensim", "csv"]

_FORMATS: dict[str, Format] = {".mot": "opensim", ".sto": "opensim", ".csv": "csv", ".tsv": "csv"}


def read_motion(
    path: str | os.PathLike[str],
    *,
    names: ColumnNames | None = None,
    radians: bool | None = None,
    sample_rate: float | None = None,
    allow_uneven: bool = False,
    on_progress: OnProgress | None = None,
) -> Motion:
    """Read the knee angles of a motion file, in degrees at an even rate.

    Args:
        path: The file; ``.mot`` and ``.sto`` are OpenSim's, ``.csv`` and ``.tsv`` are CSV, else its content decides.
        names: The columns to read, where their names do not tell.
        radians: Whether the file's angles are radians; None: what its header says, and degrees if it is silent.
        sample_rate: Hz, for a file without times.
        allow_uneven: Interpolate over missing samples instead of refusing the file.
        on_progress: Called with bytes read and bytes in all.

    Raises:
        MotionFileError: The file is damaged or not a motion file; says at which line.
        OSError: The file cannot be opened.
    """
    path = Path(path)
    with path.open("rb") as stream:
        total = os.fstat(stream.fileno()).st_size
        source = LineSource(stream, path, total, on_progress)
        opensim = _format(path) == "opensim"
        header = read_opensim_header(source, path) if opensim else read_csv_header(source, path)
        columns = _choose(header, names or ColumnNames(), path)
        table = read_numbers(source, _layout(header, columns, all_numbers=opensim), path)
    if radians is None:
        radians = columns.radians if columns.radians is not None else bool(header.radians)
    return _motion(table, columns, header, path, radians, sample_rate, allow_uneven)


def _format(path: Path) -> Format:
    if (known := _FORMATS.get(path.suffix.lower())) is not None:
        return known
    with path.open("rb") as stream:
        return "opensim" if b"endheader" in stream.read(65_536) else "csv"


def _choose(header: Header, names: ColumnNames, path: Path) -> Columns:
    try:
        return choose(header.labels, names)
    except ColumnError as error:
        raise MotionFileError(path, header.labels_line, str(error)) from None


def _layout(header: Header, columns: Columns, *, all_numbers: bool) -> Layout:
    wanted = (columns.left, columns.right) if columns.time is None else (columns.left, columns.right, columns.time)
    return Layout(header.labels, wanted, header.delimiter, all_numbers, header.rows, header.rows_key)


def _motion(
    table: Table,
    columns: Columns,
    header: Header,
    path: Path,
    radians: bool,
    sample_rate: float | None,
    allow_uneven: bool,
) -> Motion:
    left, right = table.columns[0], table.columns[1]
    if radians:
        left, right = np.degrees(left), np.degrees(right)
    times = table.columns[2] * columns.seconds if columns.time is not None else None
    if times is None:
        sampling = _without_times(len(left), header, path, sample_rate)
    else:
        sampling = sampling_of(times, table.lines, path, allow_uneven=allow_uneven)
        left, right = _even(left, times, sampling), _even(right, times, sampling)
    return Motion(left, right, _stated_rate(header, sampling), sampling.start, header.name)


def _even(series: Floats, times: Floats, sampling: Sampling) -> Floats:
    return series if sampling.even else resample(series, times, sampling)


def _without_times(count: int, header: Header, path: Path, sample_rate: float | None) -> Sampling:
    if sample_rate is not None:
        return Sampling(sample_rate, 0.0, even=True)
    if header.span is not None and count > 1 and header.span[1] > header.span[0]:
        return Sampling((count - 1) / (header.span[1] - header.span[0]), header.span[0], even=True)
    raise MotionFileError(path, header.labels_line, "no column is the time; name it, or give the sample rate")


def _stated_rate(header: Header, sampling: Sampling) -> float:
    """Prefer the rate that our own export states, to the last bit, where the times agree with it."""
    stated = header.sample_rate
    agrees = stated is not None and abs(stated - sampling.rate) <= 1e-3 * sampling.rate
    return stated if stated is not None and agrees else sampling.rate
