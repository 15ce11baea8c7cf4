"""Motion files: knee angles from OpenSim, SIMM and CSV files, and back. Knows numpy and nothing of Synovia."""

from motion.files.columns import ColumnNames
from motion.files.motion import Motion, MotionFileError, OnProgress
from motion.files.reading import read_motion
from motion.files.writing import write_motion

__all__ = ["ColumnNames", "Motion", "MotionFileError", "OnProgress", "read_motion", "write_motion"]
