"""Writing a motion file that reads back bit for bit: every number in its shortest exact decimal form."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motion.files.motion import Motion, OnProgress

ROWS_AT_ONCE = 65_536


def write_motion(path: str | os.PathLike[str], motion: Motion, *, on_progress: OnProgress | None = None) -> None:
    """Write a motion file: OpenSim's for ``.mot`` and ``.sto``, CSV for ``.csv``. The file appears whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        motion: What to write. Every float64 but the payload of a NaN survives.
        on_progress: Called with rows written and rows in all.

    Raises:
        ValueError: The name has another ending.
        OSError: The file cannot be written.
    """
    path = Path(path)
    header, delimiter = _header(path, motion)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(header)
            for done, text in _rows(motion, delimiter):
                stream.write(text)
                if on_progress is not None:
                    on_progress(done, motion.sample_count)
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _header(path: Path, motion: Motion) -> tuple[str, str]:
    match path.suffix.lower():
        case ".mot" | ".sto":
            return _opensim_header(motion), "\t"
        case ".csv":
            return "time,left_knee,right_knee\n", ","
    raise ValueError(f"a motion file ends in .mot, .sto or .csv, not in {path.suffix!r}")


def _opensim_header(motion: Motion) -> str:
    name = " ".join(motion.name.split()) or "Knee angles"
    return (
        f"name={name}\nversion=1\nnRows={motion.sample_count}\nnColumns=3\ninDegrees=yes\nsampleRate={motion.sample_rate!r}\n"
        "\nUnits are S.I. units (second, meters, Newtons, ...)\nAngles are in degrees.\n\n"
        "endheader\ntime\tknee_angle_l\tknee_angle_r\n"
    )


def _rows(motion: Motion, delimiter: str) -> Iterator[tuple[int, str]]:
    """Give the rows as text in portions, each with the number of rows up to its end."""
    times = motion.times()
    for start in range(0, motion.sample_count, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        columns = (series[part].tolist() for series in (times, motion.left_knee, motion.right_knee))
        rows = [delimiter.join(map(repr, row)) for row in zip(*columns, strict=True)]
        yield start + len(rows), "\n".join(rows) + "\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
