"""Vicon's ASCII export: sections one below the other, of which the model outputs hold the joint angles."""

from __future__ import annotations

from pathlib import Path

from motion.files.cells import decoded
from motion.files.lines import LineSource
from motion.files.motion import MotionFileError

SECTION = "Model Outputs"
_OTHERS = ("Devices", "Trajectories", "Joints", "Segments", "Events")


def seek_model_outputs(source: LineSource, path: Path) -> float | None:
    """Pass over what stands above the names of the model outputs; give their rate in Hz, if a line tells it.

    Raises:
        MotionFileError: The file has other sections only.
    """
    found: list[str] = []
    while (line := source.next_line()) is not None:
        title = _only_cell(line)
        if title == SECTION:
            return _rate(source)
        if title in _OTHERS:
            found.append(title)
    reason = f"this is a Vicon ASCII export with {', '.join(dict.fromkeys(found))[:80]} but without {SECTION}"
    raise MotionFileError(path, None, f"{reason}; run the model, and export {SECTION} too")


def _only_cell(line: bytes) -> str:
    """Give what a line says if it has one cell that says anything."""
    if len(line) > 200:
        return ""
    cells = [cell.strip(' "\ufeff') for cell in decoded(line).replace(";", ",").replace("\t", ",").split(",")]
    used = [cell for cell in cells if cell]
    return used[0] if len(used) == 1 else ""


def _rate(source: LineSource) -> float | None:
    leading = source.leading(1)
    if not leading:
        return None
    try:
        rate = float(_only_cell(leading[0][1]).replace(",", "."))
    except ValueError:
        return None
    source.skip(1)
    return rate if 0 < rate < 1e6 else None
