"""Writing a motion file that reads back bit for bit: every number in its shortest exact decimal form."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from motion.files.motion import SIDES, Floats, Motion, OnProgress, Side, times_of

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
            sides = tuple(motion.knees)
            return opensim_header(motion.sample_count, motion.sample_rate, motion.name, sides), "\t"
        case ".csv":
            return ",".join(["time", *(f"{side}_knee_deg" for side in motion.knees)]) + "\n", ","
    raise ValueError(f"a motion file ends in .mot, .sto or .csv, not in {path.suffix!r}")


def opensim_header(sample_count: int, sample_rate: float, name: str = "", sides: Sequence[Side] = SIDES) -> str:
    """Write what stands above the rows of an OpenSim file: ``sample_rate`` is in Hz, ``sides`` are the knees it has."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)  # a joiner in an emoji is lost, too
    name = " ".join(printable.split()) or "Knee angles"
    columns = "\t".join(["time", *(f"knee_angle_{side[0]}" for side in sides)])
    return (
        f"name={name}\nversion=1\nnRows={sample_count}\nnColumns={1 + len(sides)}\ninDegrees=yes\n"
        f"sampleRate={sample_rate!r}\n\nUnits are S.I. units (second, meters, Newtons, ...)\nAngles are in degrees.\n\n"
        f"endheader\n{columns}\n"
    )


def _rows(motion: Motion, delimiter: str) -> Iterator[tuple[int, str]]:
    """Give the rows as text in portions, each with the number of rows up to its end."""
    for start in range(0, motion.sample_count, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        knees = [series[part] for series in motion.knees.values()]
        stop = start + len(knees[0])
        yield stop, rows_text(times_of(start, stop, motion.sample_rate, motion.start), knees, delimiter)


def rows_text(times: Floats, knees: Sequence[Floats], delimiter: str = "\t") -> str:
    """Write some rows: series of one length, as text that reads back bit for bit."""
    columns = (series.tolist() for series in (times, *knees))
    return "".join([delimiter.join(map(repr, row)) + "\n" for row in zip(*columns, strict=True)])


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
