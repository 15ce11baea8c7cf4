"""Xsens MVNX: the joint angles of each frame, three to a joint, of which the last is flexion."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import BinaryIO

import numpy as np

from motion.files.angles import Told
from motion.files.measured import Measured
from motion.files.motion import Floats, MotionFileError, Side
from motion.files.xml_events import read_events

_KNEES: dict[str, Side] = {"jleftknee": "left", "jrightknee": "right"}
_MOST_JOINTS, _MOST_TEXT, _MOST_FRAMES = 500, 64_000, 5_000_000
_ADVICE = "export it again from MVN Analyze with joint angles"


class _Recording:
    """What is kept of the events of a document."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: list[str] | None = None
        self._size = 0
        self._in_joints = self._is_motion = self._has_angles = False
        self.name = ""
        self.rate: float | None = None
        self.joints: list[str] = []
        self.angles: dict[Side, list[float]] = {"left": [], "right": []}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        match name:
            case "subject":
                self.rate = _positive(attributes.get("frameRate", ""))
                self.name = attributes.get("label", "")[:200]
            case "joints":
                self._in_joints = True
            case "joint" if self._in_joints:
                self._add_joint(attributes.get("label", ""))
            case "frame":
                # others are the poses of the calibration
                self._is_motion = attributes.get("type", "normal") == "normal"
                self._has_angles = False
            case "jointAngle" if self._is_motion:
                self._text, self._size = [], 0

    def end(self, name: str) -> None:
        """End an element."""
        if name == "joints":
            self._in_joints = False
        elif name == "jointAngle" and self._text is not None:
            self._add_frame("".join(self._text).split())
            self._text = None
        elif name == "frame" and self._is_motion:
            self._is_motion = False
            if not self._has_angles:
                self._add_missing()

    def text(self, data: str) -> None:
        """Keep the text of angles."""
        if self._text is not None:
            self._size += len(data)
            if self._size > _MOST_TEXT:
                raise self._damaged("has more angles than joints")
            self._text.append(data)

    def _add_joint(self, label: str) -> None:
        label = label.lower()
        if len(self.joints) >= _MOST_JOINTS or (label in _KNEES and label in self.joints):
            raise self._damaged("names too many joints, or a knee twice")
        self.joints.append(label)

    def _add_frame(self, numbers: list[str]) -> None:
        frame = max(map(len, self.angles.values()))
        if self._has_angles:
            raise self._damaged(f"has two sets of angles in frame {frame}")
        self._has_angles = True
        if len(numbers) != 3 * len(self.joints) or frame >= _MOST_FRAMES:
            reason = f"has {len(numbers)} angles in frame {frame} for {len(self.joints)} joints"
            raise self._damaged(reason)
        try:
            for at, joint in enumerate(self.joints):
                if (side := _KNEES.get(joint)) is not None:
                    self.angles[side].append(float(numbers[3 * at + 2]))
        except ValueError:
            raise self._damaged(f"has angles in frame {frame} that are no numbers") from None

    def _add_missing(self) -> None:
        for side in map(_KNEES.__getitem__, _KNEES.keys() & self.joints):
            self.angles[side].append(float("nan"))

    def _damaged(self, reason: str) -> MotionFileError:
        return MotionFileError(self._path, None, f"the MVNX file {reason}; {_ADVICE}")


def read_mvnx(stream: BinaryIO, path: Path) -> Measured:
    """Read the flexion of the knees of an MVNX file, in degrees.

    Raises:
        MotionFileError: It holds none, or is damaged.
    """
    recording = _Recording(path)
    read_events(stream, recording, path)
    knees: dict[Side, Floats] = {
        side: np.array(angles, dtype=np.float64) for side, angles in recording.angles.items() if angles
    }
    if all(np.isnan(series).all() for series in knees.values()):
        raise MotionFileError(path, None, f"the MVNX file holds no angles of knees; {_ADVICE}")
    lines = np.arange(len(next(iter(knees.values()))), dtype=np.int64)
    told = Told(column="degrees", are_angles=True)
    return Measured(knees, lines, told, rate=recording.rate, name=recording.name)


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and 0 < value <= 1e5 else None
