"""Writing a motion file that reads back bit for bit: every number in its shortest exact decimal form."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motion.files.motion import Floats, Motion, OnProgress, times_of

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
            return opensim_header(motion.sample_count, motion.sample_rate, motion.name), "\t"
        case ".csv":
            return "time,left_knee,right_knee\n", ","
    raise ValueError(f"a motion file ends in .mot, .sto or .csv, not in {path.suffix!r}")


def opensim_header(sample_count: int, sample_rate: float, name: str = "") -> str:
    """Write what stands above the rows of an OpenSim file: ``sample_rate`` is in Hz."""
    name = " ".join(name.split()) or "Knee angles"
    return (
        f"name={name}\nversion=1\nnRows={sample_count}\nnColumns=3\ninDegrees=yes\nsampleRate={sample_rate!r}\n"
        "\nUnits are S.I. units (second, meters, Newtons, ...)\nAngles are in degrees.\n\n"
        "endheader\ntime\tknee_angle_l\tknee_angle_r\n"
    )


def _rows(motion: Motion, delimiter: str) -> Iterator[tuple[int, str]]:
    """Give the rows as text in portions, each with the number of rows up to its end."""
    for start in range(0, motion.sample_count, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        left, right = motion.left_knee[part], motion.right_knee[part]
        yield (
            start + len(left),
            rows_text(left, right, times_of(start, start + len(left), motion.sample_rate, motion.start), delimiter),
        )


def rows_text(left: Floats, right: Floats, times: Floats, delimiter: str = "\t") -> str:
    """Write some rows: series of one length, as text that reads back bit for bit."""
    columns = (series.tolist() for series in (times, left, right))
    return "".join([delimiter.join(map(repr, row)) + "\n" for row in zip(*columns, strict=True)])


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
