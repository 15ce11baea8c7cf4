"""Motion files: knee angles from OpenSim, SIMM and CSV files, and back. Knows numpy and nothing of Synovia."""

from motion.files.columns import ColumnNames
from motion.files.motion import Floats, Motion, MotionFileError, OnProgress, times_of
from motion.files.reading import read_motion
from motion.files.writing import ROWS_AT_ONCE, opensim_header, rows_text, write_motion

__all__ = [
    "ROWS_AT_ONCE",
    "ColumnNames",
    "Floats",
    "Motion",
    "MotionFileError",
    "OnProgress",
    "opensim_header",
    "read_motion",
    "rows_text",
    "times_of",
    "write_motion",
]
