"""C3D files: the angles that a model has put among the points, as Vicon and Visual3D do. Needs the package ``c3d``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from motion.files.angles import Told
from motion.files.columns import ColumnNames, knee_side, listed
from motion.files.measured import Measured, Options
from motion.files.motion import SIDES, Floats, MotionFileError, Side
from motion.files.words import AngleUnit, angle_unit, words_of

_BLOCK = 512
_MOST_POINTS, _MOST_PARAMETERS = 5_000, 255 * _BLOCK
_LABELS = ("LABELS", *(f"LABELS{number}" for number in range(2, 20)))
_ADVICE = "run the model (such as Plug-in Gait) and export its outputs, or export the joint angles as CSV or .mot"


@dataclass(frozen=True, slots=True)
class _Points:
    """How the points lie in a file: ``frames`` frames of ``stride`` bytes from ``begin`` on, the points first."""

    labels: tuple[str, ...]
    rate: float
    begin: int
    stride: int
    frames: int
    claimed: int
    scale: float
    is_dec: bool
    byte_order: str
    first_frame: int
    unit: AngleUnit | None


def read_c3d(stream: BinaryIO, path: Path, options: Options) -> Measured:
    """Read the knee angles of a C3D file; flexion is the first component, missing samples are NaN.

    Raises:
        MotionFileError: It has none, it is damaged, or the package to read it is not installed.
    """
    points = _points(stream, path)
    columns = _columns(points.labels, options.names, path)
    knees = {side: _flexion(stream, points, at) for side, at in columns.items()}
    lines = np.arange(points.first_frame, points.first_frame + points.frames)
    told = Told(options.unit, points.unit, are_angles=True)
    measured = Measured(knees, lines, told, rate=points.rate, labels=points.labels)
    if points.frames < points.claimed:
        measured.warnings.append(
            f"the file ends after {points.frames:,} frames, but its header says {points.claimed:,}; it may be cut off"
        )
    return measured


def _points(stream: BinaryIO, path: Path) -> _Points:
    try:
        import c3d  # an extra
    except ImportError:
        reason = (
            "this is a C3D file, which is read only where synovia-motion[c3d] is installed; export CSV or .mot instead"
        )
        raise MotionFileError(path, None, reason) from None

    class Reader(c3d.Reader):  # type: ignore[misc]
        def _check_metadata(self) -> None:
            """Take files whose header and parameters differ in what does not matter here, as many do."""

    try:
        with np.errstate(all="ignore"):
            return _described(Reader(_Bounded(stream)), _size(stream), path)
    except MotionFileError:
        raise
    except Exception as error:  # the package meets damage in many ways
        reason = f"the C3D file is damaged: {type(error).__name__} in its header or parameters"
        raise MotionFileError(path, None, reason) from None


class _Bounded:
    """A stream that gives no more than the parameters of a file can have: their lengths are anybody's numbers."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._stream.seek(0)

    def seek(self, to: int, whence: int = 0) -> int:
        return self._stream.seek(to, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, count: int) -> bytes:
        if not 0 <= count <= _MOST_PARAMETERS:
            raise ValueError("a length that cannot be")
        return self._stream.read(count)


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def _described(reader: Any, size: int, path: Path) -> _Points:
    used, scale = int(reader.point_used), float(reader.point_scale)
    if not 0 < used <= _MOST_POINTS:
        raise MotionFileError(path, None, f"the C3D file has {used:,} points, and so no joint angles; {_ADVICE}")
    word = 4 if scale < 0 else 2
    stride = 4 * used * word + int(reader.header.analog_count) * word
    begin = (int(reader.header.data_block) - 1) * _BLOCK
    claimed = int(reader.last_frame) - int(reader.first_frame) + 1
    frames = min(claimed, max(size - begin, 0) // stride)
    rate = float(reader.point_rate)
    if frames < 2 or begin < 2 * _BLOCK or not 0 < rate <= 1e5 or not np.isfinite(scale) or scale == 0:
        raise MotionFileError(path, None, f"the C3D file is damaged: {claimed:,} frames at {rate:g} Hz cannot be")
    return _Points(
        labels=_labels(reader, used),
        rate=rate,
        begin=begin,
        stride=stride,
        frames=frames,
        claimed=claimed,
        scale=scale,
        is_dec=bool(reader._dtypes.is_dec),
        byte_order=">" if reader._dtypes.is_mips else "<",
        first_frame=int(reader.first_frame),
        unit=_unit(reader),
    )


def _labels(reader: Any, used: int) -> tuple[str, ...]:
    labels = [label for name in _LABELS for label in _texts(reader, f"POINT:{name}")]
    return tuple(labels[:used])


def _texts(reader: Any, parameter: str) -> list[str]:
    """Read a parameter that is a list of texts, or one text; nothing if its length is not what its dimensions say."""
    found = reader.get(parameter)
    if found is None or len(found.dimensions) not in (1, 2) or len(found.bytes) != found.total_bytes:
        return []
    width = max(found.dimensions[0], 1)
    cells = [found.bytes[at : at + width] for at in range(0, len(found.bytes), width)]
    return [cell.decode("utf-8", "replace").strip(" \0") for cell in cells]


def _unit(reader: Any) -> AngleUnit | None:
    return angle_unit({word for text in _texts(reader, "POINT:ANGLE_UNITS") for word in words_of(text)})


def _columns(labels: Sequence[str], names: ColumnNames, path: Path) -> dict[Side, int]:
    found = {side: [at for at, label in enumerate(labels) if _is(label, side, names)] for side in SIDES}
    for side, places in found.items():
        if len(places) > 1:
            reason = f"the {side} knee's angle could be any of {listed([labels[at] for at in places])}; name one"
            raise MotionFileError(path, None, reason, remedies=("columns",), columns=labels)
    columns: dict[Side, int] = {side: places[0] for side, places in found.items() if places}
    if not columns:
        others = f", only points such as {listed(labels[:8])}" if labels else ""
        reason = f"the C3D file holds no angles of knees{others}; {_ADVICE}"
        raise MotionFileError(path, None, reason)
    return columns


def _is(label: str, side: Side, names: ColumnNames) -> bool:
    """Tell whether a point is a knee's angles: as it is named, or as it is asked for. A marker is called ``LKNE``."""
    if (name := names.of(side)) is not None:
        return label.casefold() == name.casefold()
    return knee_side(label) == side and bool({"angle", "angles"} & set(words_of(label)))


def _flexion(stream: BinaryIO, points: _Points, at: int) -> Floats:
    """Read the first component of a point, shape ``(frames,)``; a negative residual says that it is missing."""
    width = 16 if points.scale < 0 else 8
    view = np.memmap(stream, np.uint8, "r", points.begin, (points.frames, points.stride))
    raw = np.ascontiguousarray(view[:, at * width : (at + 1) * width])
    del view
    values = _decoded(raw, points)
    return np.where(values[:, 3] < 0, np.nan, values[:, 0])


def _decoded(raw: np.ndarray[Any, np.dtype[np.uint8]], points: _Points) -> Floats:
    """Make float64 of shape ``(frames, 4)`` of the bytes of a point."""
    if points.scale > 0:
        integers = raw.view(f"{points.byte_order}i2").astype(np.float64)
        integers[:, :3] *= points.scale
        return integers
    if points.is_dec:
        from c3d.c3d import DEC_to_IEEE_BYTES

        return np.asarray(DEC_to_IEEE_BYTES(raw.tobytes()), dtype=np.float64).reshape(-1, 4)
    return raw.view(f"{points.byte_order}f4").astype(np.float64)
