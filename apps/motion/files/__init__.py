"""Motion files: knee angles from OpenSim, tables, Vicon, C3D and MVNX, and back. Knows numpy and nothing of Synovia."""

from motion.files.columns import ColumnNames
from motion.files.formats import READABLE
from motion.files.motion import SIDES, BothKnees, Floats, Motion, MotionFileError, OnProgress, Remedy, Side, times_of
from motion.files.reading import read_motion
from motion.files.words import TimeUnit
from motion.files.writing import ROWS_AT_ONCE, opensim_header, rows_text, write_motion

__all__ = [
    "READABLE",
    "ROWS_AT_ONCE",
    "SIDES",
    "BothKnees",
    "ColumnNames",
    "Floats",
    "Motion",
    "MotionFileError",
    "OnProgress",
    "Remedy",
    "Side",
    "TimeUnit",
    "opensim_header",
    "read_motion",
    "rows_text",
    "times_of",
    "write_motion",
]
