"""The small files that practice has, where they lie beside the checkout, against what is expected of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from motion.files import MotionFileError, read_motion

FILES = Path(__file__).parents[3] / "shared" / "data" / "motion-files"
READ = {
    "cr_only.csv": "",
    "meta_rows.csv": "",
    "na_cell.csv": "is missing",
    "noraxon_mr3.csv": "",
    "noraxon_paren.csv": "",
    "opensim_comma_tail.mot": "",
    "opensim_decimal_comma.mot": "",
    "opensim_duplast.sto": "repeats the time of the sample before",
    "opensim_msvc_nan.mot": "are missing",
    "opensim_ncols_more.sto": "the header says 40 columns",
    "opensim_nrows_more.mot": "the header says 4 rows",
    "quoted_decimal_comma.csv": "",
    "trailing_comma_rows_only.csv": "",
    "units_row.csv": "",
    "vicon_ascii.csv": "",
    "visual3d.csv": "",
    "xsens_flexext.csv": "tells no rate",
}
REFUSED = {"opensim_poserr.sto": "errors", "opensim_speeds.sto": "speeds", "x.bvh": "BVH"}

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the shared motion files are not beside this checkout")


@pytest.mark.parametrize(("name", "warning"), READ.items())
def test_read(name: str, warning: str) -> None:
    motion = read_motion(FILES / name).both()
    assert bool(motion.warnings) == bool(warning)
    assert warning in " ".join(motion.warnings)


@pytest.mark.parametrize(("name", "what"), REFUSED.items())
def test_refused(name: str, what: str) -> None:
    with pytest.raises(MotionFileError) as caught:
        read_motion(FILES / name)
    assert what in caught.value.reason


def test_all_are_known() -> None:
    assert {path.name for path in FILES.iterdir()} - {"README.md"} == READ.keys() | REFUSED.keys()
