"""Motion files of kinds that have to be made: C3D, MVNX, workbooks; small, and with numbers that can be told apart."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import c3d
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEFT = np.round(np.linspace(1.5, 61.5, 20), 4)
RIGHT = np.round(np.linspace(-3.25, 40.0, 20), 4)


def c3d_file(
    path: Path,
    points: Mapping[str, Floats],
    *,
    rate: float = 100.0,
    unit: str | None = "deg",
    scale: float = -1.0,
    first_frame: int = 1,
) -> Path:
    """Write a C3D file in which each point has a series for its first component; NaN: an invalid sample."""
    writer = c3d.Writer(point_rate=rate, point_scale=scale)
    frames = []
    for values in zip(*points.values(), strict=True):
        frame = np.zeros((len(points), 5), dtype=np.float32)
        frame[:, 0] = np.nan_to_num(values)
        frame[:, 1:3] = 400.0  # the other components are none of the reader's business
        frame[:, 3] = np.where(np.isnan(values), -1, 0)
        frames.append((frame, np.zeros((0, 0))))
    writer.add_frames(frames)
    writer.set_point_labels(list(points))
    if unit is not None:
        writer.point_group.add_str("ANGLE_UNITS", "", unit, len(unit))
    writer.set_start_frame(first_frame)
    with path.open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no analog data
        writer.write(file)
    return path


def mvnx_file(
    path: Path,
    frames: Sequence[Mapping[str, float] | None],
    *,
    joints: Sequence[str] = ("jL5S1", "jRightKnee", "jRightAnkle", "jLeftKnee"),
    rate: str = "60",
) -> Path:
    """Write an MVNX file: for each frame the flexion of the joints by name, or None for a frame without angles."""
    labels = "".join(f'<joint label="{joint}"><connector1>a</connector1></joint>' for joint in joints)
    text = "".join(_mvnx_frame(at, frame, joints) for at, frame in enumerate(frames))
    pose = '<frame time="0" type="tpose"><jointAngle>{}</jointAngle></frame>'.format(" ".join(["0"] * 3 * len(joints)))
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Xsens -->\n<mvnx xmlns="http://www.xsens.com/mvn/mvnx" version="4">'
        f'<subject label="Anna" frameRate="{rate}"><joints>{labels}</joints>'
        f"<frames>{pose}{text}</frames></subject></mvnx>",
        encoding="utf-8",
    )
    return path


def _mvnx_frame(at: int, frame: Mapping[str, float] | None, joints: Sequence[str]) -> str:
    numbers = [f"{-at} 99 {float((frame or {}).get(joint, 0.0))!r}" for joint in joints]
    angles = "" if frame is None else f"<jointAngle>\n{' '.join(numbers)}</jointAngle>"
    return f'<frame time="{at * 17}" index="{at}" type="normal"><orientation>1 0 0 0</orientation>{angles}</frame>'


def workbook_parts(sheets: Mapping[str, str], strings: Sequence[str] = ()) -> dict[str, str]:
    """Give the parts of a workbook whose sheets are the XML inside of ``sheetData``."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    named = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1))
    targets = "".join(
        f'<Relationship Id="r{at}" Type="http://x/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at, _ in enumerate(sheets, 1)
    )
    shared = "".join(f"<si><t>{string}</t></si>" for string in strings)
    return {
        "xl/workbook.xml": f"<workbook {space} {links}><sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>",
        "xl/sharedStrings.xml": f"<sst {space}>{shared}</sst>",
        **{
            f"xl/worksheets/sheet{at}.xml": f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>"
            for at, rows in enumerate(sheets.values(), 1)
        },
    }


def workbook_file(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """Write a workbook of its parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return path
