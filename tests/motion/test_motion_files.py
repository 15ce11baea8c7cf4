"""Motion files: what is read from each kind, and at which line a damaged one is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.examples import examples
from motion.files import BothKnees, ColumnNames, Motion, MotionFileError, read_motion, write_motion
from motion.files.motion import Floats

MODERN = """Coordinates
version=1
nRows=4
nColumns=4
inDegrees=yes

Units are S.I. units (second, meters, Newtons, ...)
Angles are in degrees.

endheader
time\thip_flexion_r\tknee_angle_r\tknee_angle_l
0.50\t1\t-10.5\t-20.25
0.51\t2\t-11.5\t-21.25
0.52\t3\t-12.5\t-22.25
0.53\t4\t-13.5\t-23.25
"""
MODERN_LINES = MODERN.splitlines()


def write(folder: Path, text: str | bytes, name: str = "walk.mot") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_both(path: Path, **said: Any) -> BothKnees:
    """Read a file that has both knees."""
    return read_motion(path, **said).both()


def check_modern(motion: BothKnees) -> None:
    """Assert that it is what MODERN says."""
    assert motion.left_knee.tolist() == [-20.25, -21.25, -22.25, -23.25]
    assert motion.right_knee.tolist() == [-10.5, -11.5, -12.5, -13.5]
    assert motion.sample_rate == 100.0
    assert motion.start == 0.5
    assert motion.duration_ms == 30.0


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file of a few megabytes be read in as many blocks as one of millions of rows."""
    monkeypatch.setattr("motion.files.lines.BLOCK_BYTES", 1 << 15)


class TestOpenSimVariants:
    def test_modern_file(self, tmp_path: Path) -> None:
        motion = read_both(write(tmp_path, MODERN))
        check_modern(motion)
        assert motion.name == "Coordinates"
        assert motion.left_knee.dtype == np.float64

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(MODERN.replace("\n", "\r\n"), id="carriage returns"),
            pytest.param("\ufeff" + MODERN, id="byte order mark"),
            pytest.param(MODERN.replace("\t", "      "), id="runs of spaces"),
            pytest.param(MODERN.replace("\t", " \t "), id="spaces and tabs"),
            pytest.param(MODERN.removesuffix("\n"), id="no last newline"),
            pytest.param(MODERN + "\n\n   \n", id="blank lines at the end"),
            pytest.param(MODERN.replace("0.52", "# a pause\n\n0.52"), id="comment between rows"),
            pytest.param("# first\n" + MODERN.replace("endheader\n", "# c\nendheader\n\n# d\n"), id="comments above"),
            pytest.param(MODERN.replace("nRows=4\nnColumns=4", "nColumns=4\nnRows=4"), id="other order"),
            pytest.param(MODERN.replace("nRows=4\nnColumns=4\n", ""), id="counts left out"),
            pytest.param(
                MODERN.replace("nRows=4", "nRows = 4").replace("endheader", "EndHeader "), id="spaced entries"
            ),
            pytest.param(MODERN.replace("nRows=4\nnColumns=4", "nr 4\nnc 4"), id="short keys"),
            pytest.param(MODERN.replace("inDegrees=yes\n", ""), id="units in the description"),
            pytest.param(MODERN.replace("version=1", "version=3\nDataType=double\nOpenSimVersion=4.5"), id="OpenSim 4"),
            pytest.param(
                MODERN.replace("knee_angle_r", "/jointset/knee_r/knee_angle_r/value").replace(
                    "knee_angle_l", "/jointset/walker_knee_l/knee_angle_l/value"
                ),
                id="OpenSim 4 paths",
            ),
        ],
    )
    def test_variant_reads_the_same(self, tmp_path: Path, text: str) -> None:
        check_modern(read_both(write(tmp_path, text)))

    def test_sto_reads_the_same(self, tmp_path: Path) -> None:
        check_modern(read_both(write(tmp_path, MODERN, "walk.STO")))

    def test_unknown_ending_is_told_by_content(self, tmp_path: Path) -> None:
        check_modern(read_both(write(tmp_path, MODERN, "walk.txt")))

    def test_old_simm_file(self, tmp_path: Path) -> None:
        text = (
            "name gait\r\ndatacolumns 3\r\ndatarows 2\r\notherdata 1\r\nrange 0.0 0.5\r\nendheader\r\n\r\n"
            "  time   knee_angle_l   knee_angle_r\r\n   0.0   1.0   2.0\r\n   0.5   3.0   4.0\r\n"
        )
        motion = read_both(write(tmp_path, text))
        assert (motion.name, motion.sample_rate) == ("gait", 2.0)
        assert motion.left_knee.tolist() == [1.0, 3.0]

    def test_simm_file_without_times_takes_them_from_its_range(self, tmp_path: Path) -> None:
        text = (
            "name gait\ndatacolumns 2\ndatarows 3\nrange 1.0 2.0\nendheader\nknee_angle_l knee_angle_r\n1 2\n3 4\n5 6\n"
        )
        motion = read_motion(write(tmp_path, text))
        assert (motion.start, motion.sample_rate, motion.duration_ms) == (1.0, 2.0, 1000.0)

    def test_velocities_moments_and_other_coordinates_are_not_knee_angles(self, tmp_path: Path) -> None:
        text = (
            "endheader\ntime\t/jointset/knee_l/knee_angle_l/value\t/jointset/knee_l/knee_angle_l/speed"
            "\t/jointset/patellofemoral_l/knee_angle_l_beta/value\tknee_angle_r\tknee_angle_r_moment\n"
            "0\t1\t2\t3\t4\t5\n0.1\t1\t2\t3\t4\t5\n"
        )
        motion = read_both(write(tmp_path, text))
        assert (motion.left_knee[0], motion.right_knee[0]) == (1.0, 4.0)


SMALL = re.sub(r"-(\d\d)\.(\d+)", r"-0.\1\2", MODERN)
"""MODERN with a hundredth of its angles, as knees have them in radians."""


class TestUnits:
    @pytest.mark.parametrize(
        ("text", "factor"),
        [
            pytest.param(SMALL.replace("=yes", "=no"), 180 / np.pi, id="inDegrees=no"),
            pytest.param(SMALL.replace("=yes", "=n"), 180 / np.pi, id="inDegrees=n"),
            pytest.param(
                SMALL.replace("inDegrees=yes\n", "").replace("in degrees", "in radians"), 180 / np.pi, id="description"
            ),
            pytest.param(SMALL, 1.0, id="inDegrees=yes"),
        ],
    )
    def test_header_decides(self, tmp_path: Path, text: str, factor: float) -> None:
        assert read_both(write(tmp_path, text)).right_knee[0] == pytest.approx(-0.105 * factor, rel=1e-15)

    def test_caller_overrules(self, tmp_path: Path) -> None:
        path = write(tmp_path, MODERN.replace("=yes", "=no"))
        assert read_both(path, radians=False).right_knee[0] == -10.5

    def test_csv_column_names_tell(self, tmp_path: Path) -> None:
        path = write(tmp_path, "time,left_knee_rad,right_knee_rad\n0,1,2\n1,1,2\n", "a.csv")
        assert read_both(path).left_knee[0] == pytest.approx(57.29577951308232)


class TestCsv:
    @pytest.mark.parametrize(
        "header",
        [
            "time,left_knee,right_knee",
            "Time (s),Left Knee (deg),Right Knee (deg)",
            "t,knee_l,knee_r",
            '"time","leftKnee","rightKnee"',
            "timestamp,LKnee,RKnee",
            "elapsed,knee_angle_left,knee_angle_right",
            "time,left_knee_flexion,right_knee_flexion",
            "time,/jointset/knee_l/knee_angle_l/value,/jointset/knee_r/knee_angle_r/value",
        ],
    )
    def test_aliases(self, tmp_path: Path, header: str) -> None:
        motion = read_both(write(tmp_path, f"{header}\n0,1,2\n0.01,3,4\n", "a.csv"))
        assert (motion.left_knee.tolist(), motion.right_knee.tolist()) == ([1.0, 3.0], [2.0, 4.0])
        assert motion.sample_rate == 100.0

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("time;left_knee;right_knee\n0;1,5;2\n0,01;3;4\n", id="semicolons and decimal commas"),
            pytest.param("sep=;\ntime;left_knee;right_knee\n0;1.5;2\n0.01;3;4\n", id="told separator"),
            pytest.param("time\tleft_knee\tright_knee\r\n0\t1.5\t2\r\n0.01\t3\t4\r\n", id="tabs"),
            pytest.param("# by hand\ntime left_knee right_knee\n0 1.5 2\n0.01   3   4\n", id="spaces"),
            pytest.param('time,left_knee,right_knee\n"0","1.5","2"\n0.01,3,4\n', id="quotes"),
            pytest.param('time,note,left_knee,right_knee\n0,"a, b",1.5,2\n0.01,,3,4\n', id="other columns may be text"),
            pytest.param("time_ms,left_knee,right_knee\n0,1.5,2\n10,3,4\n", id="milliseconds"),
            pytest.param("right_knee,time,left_knee\n2,0,1.5\n4,0.01,3\n", id="other order"),
        ],
    )
    def test_dialects(self, tmp_path: Path, text: str) -> None:
        motion = read_both(write(tmp_path, text, "a.csv"))
        assert (motion.left_knee.tolist(), motion.right_knee.tolist()) == ([1.5, 3.0], [2.0, 4.0])
        assert motion.sample_rate == 100.0

    def test_named_columns(self, tmp_path: Path) -> None:
        path = write(tmp_path, "Zeit,links,rechts\n0,1,2\n0.5,3,4\n", "a.csv")
        motion = read_both(path, names=ColumnNames(time="Zeit", left="LINKS", right="rechts"))
        assert (motion.sample_rate, motion.left_knee.tolist()) == (2.0, [1.0, 3.0])

    def test_given_sample_rate_stands_in_for_times(self, tmp_path: Path) -> None:
        path = write(tmp_path, "left_knee,right_knee\n1,2\n3,4\n", "a.csv")
        assert read_motion(path, sample_rate=250.0).duration_ms == 4.0


class TestSampling:
    @pytest.mark.parametrize("rate", [29.97, 50.0, 59.94, 60.0, 100.0, 120.0, 1000.0])
    @pytest.mark.parametrize("decimals", [4, 8])
    def test_rate_survives_rounded_times(self, tmp_path: Path, rate: float, decimals: int) -> None:
        rows = "".join(f"{k / rate:.{decimals}f},1,2\n" for k in range(500))
        motion = read_motion(write(tmp_path, "time,left_knee,right_knee\n" + rows, "a.csv"))
        assert motion.sample_rate == pytest.approx(rate, rel=10.0**-decimals * rate / 250)
        if decimals == 8:
            assert motion.sample_rate == rate

    def test_gap_is_refused_at_its_line_or_filled(self, tmp_path: Path) -> None:
        times = [0, 1, 2, 5, 6]
        rows = "".join(f"{t / 100},{t},{-t}\n" for t in times)
        path = write(tmp_path, "time,left_knee,right_knee\n" + rows, "a.csv")
        with pytest.raises(MotionFileError, match=r"from 0\.02 to 0\.05 s") as caught:
            read_motion(path)
        assert caught.value.line == 5
        filled = read_both(path, allow_uneven=True)
        assert filled.left_knee == pytest.approx(np.arange(7.0))
        assert filled.sample_rate == 100.0
        assert filled.warnings == ("2 missing samples are interpolated, at 100 Hz",)

    def test_changing_rate_is_refused(self, tmp_path: Path) -> None:
        times = np.concatenate([np.arange(100) / 100, 1 + np.arange(100) / 80])
        rows = "".join(f"{t},0,0\n" for t in times)
        path = write(tmp_path, "time,left_knee,right_knee\n" + rows, "a.csv")
        with pytest.raises(MotionFileError, match="the rate changes"):
            read_motion(path)

    def test_jitter_is_not_a_gap(self, tmp_path: Path) -> None:
        times = np.arange(1000) / 100 + np.random.default_rng(1).uniform(-0.003, 0.003, 1000)
        rows = "".join(f"{t},0,0\n" for t in times)
        path = write(tmp_path, "time,left_knee,right_knee\n" + rows, "a.csv")
        assert read_motion(path).sample_rate == pytest.approx(100.0, rel=1e-3)


def changed(line: int, text: str) -> str:
    """Give MODERN with one line, counted from 1, replaced."""
    return "\n".join([*MODERN_LINES[: line - 1], text, *MODERN_LINES[line:]]) + "\n"


DAMAGED = [
    pytest.param("", None, "is empty", id="empty"),
    pytest.param("\n\n", 2, 'before an "endheader" line', id="blank"),
    pytest.param(changed(13, "0.51\t2\t-11.5"), 13, "3 columns, but there are 4", id="column missing"),
    pytest.param(changed(13, "0.51\t2\t-11.5\t1\t1"), 13, "5 columns, but there are 4", id="column too many"),
    pytest.param(changed(14, "0.52\t3\t-12.5\tNIL"), 14, "'knee_angle_l' is not a number: 'NIL'", id="not a number"),
    pytest.param(changed(14, "0.52\tx\t-12.5\t1"), 14, "'hip_flexion_r' is not a number: 'x'", id="in another column"),
    pytest.param(changed(14, "0.52\t3\t-12.5\t1_0"), 14, "is not a number: '1_0'", id="underscore"),
    pytest.param(changed(14, "0.52\t3\t-12,5\t1"), 14, "is not a number: '-12,5'", id="decimal comma"),
    pytest.param(changed(3, "nRows=four"), 3, "nRows is not a whole number: 'four'", id="nRows not a number"),
    pytest.param(changed(3, "nRows=-4"), 3, "nRows is not a whole number", id="nRows negative"),
    pytest.param(changed(5, "inDegrees=maybe"), 5, "neither yes nor no", id="inDegrees wrong"),
    pytest.param(changed(10, ""), 12, 'numbers before an "endheader"', id="no endheader"),
    pytest.param("\n".join(MODERN_LINES[:9]), 8, 'before an "endheader" line', id="ends in the header"),
    pytest.param("\n".join(MODERN_LINES[:10]), 10, "column names were expected", id="ends after the header"),
    pytest.param("\n".join(MODERN_LINES[:11]).replace("nRows=4\n", ""), 10, "no rows", id="no rows"),
    pytest.param(changed(11, "0.5\t1\t2\t3"), 11, "found numbers", id="no column names"),
    pytest.param(changed(11, "time\ta\tb\tc"), 11, "no column is the left or the right knee's angle", id="no knee"),
    pytest.param(changed(11, "time\tknee_r\tknee_angle_r\tknee_l"), 11, "could be any of 'knee_r', 'knee_", id="two"),
    pytest.param(changed(11, "a\tb\tknee_angle_r\tknee_angle_l"), 11, "no column is the time", id="no time"),
    pytest.param(changed(13, "0.50\t2\t-11.5\t1"), 13, "0.5 s does not come after 0.5 s", id="time stands still"),
    pytest.param(changed(14, "0.40\t2\t-11.5\t1"), 14, "0.4 s does not come after 0.51 s", id="time runs back"),
    pytest.param(changed(14, "nan\t2\t-11.5\t1"), 14, "the time is nan", id="time is not a number"),
    pytest.param(changed(2, "DataType=Vec3"), 2, "not plain numbers", id="vectors"),
    pytest.param("\n".join(MODERN_LINES[:12]).replace("nRows=4\n", ""), 11, "one sample alone", id="one sample"),
    pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 2, "not text: it holds the byte 0x1a", id="a picture"),
    pytest.param(MODERN.encode().replace(b"-12.5", b"-1\x00.5"), 14, "holds the byte 0x00", id="a zero byte"),
    pytest.param(MODERN.encode("utf-16"), 1, "UTF-16", id="UTF-16"),
    pytest.param(b"x" * 3_000_000, 1, "longer than 1,048,576 bytes", id="huge first line"),
    pytest.param(MODERN.encode() + b"1" * 3_000_000, 16, "longer than 1,048,576 bytes", id="huge row"),
    pytest.param("a\n" * 2000, 1000, 'no "endheader" within 1,000 lines', id="endless header"),
]


class TestDamage:
    @pytest.mark.parametrize(("text", "line", "reason"), DAMAGED)
    def test_refused_with_the_line_at_fault(
        self, tmp_path: Path, text: str | bytes, line: int | None, reason: str
    ) -> None:
        path = write(tmp_path, text)
        with pytest.raises(MotionFileError) as caught:
            read_motion(path)
        assert reason in caught.value.reason
        assert caught.value.line == line
        assert str(caught.value).startswith(f"{path}: " if line is None else f"{path}:{line}: ")

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("0,1,2\n0.1,1,2\n", 1, "expected a line of column names"),
            ("time,left_knee,right_knee\n", 1, "no rows of numbers"),
            ("time,left_knee,right_knee\n0,1,2\n0.1,1\n", 3, "2 columns, but there are 3"),
            ("time,left_knee,right_knee\n0,1,2\n,1,2\n", 3, "column 'time' is empty"),
            ("time,left_knee,right_knee\n0,,\n0.1,,\n", 1, "there is no number in the columns of the knees"),
            ("time,left_knee,right_knee\n0,1,2\n0.1,1,-\n", 3, "column 'right_knee' is not a number: '-'"),
            ("time,left_ankle,left_hip\n0,1,2\n", 1, "no column is the left or the right knee's angle"),
            ("time,left_knee_deg,right_knee_rad\n0,1,2\n", 1, "one knee in radians and one in degrees"),
            ("", None, "is empty"),
        ],
    )
    def test_csv_refused_with_the_line_at_fault(self, tmp_path: Path, text: str, line: int | None, reason: str) -> None:
        with pytest.raises(MotionFileError) as caught:
            read_motion(write(tmp_path, text, "a.csv"))
        assert reason in caught.value.reason
        assert caught.value.line == line

    @pytest.mark.usefixtures("small_blocks")
    def test_line_is_right_far_into_a_large_file(self, tmp_path: Path) -> None:
        rows = [f"{k / 100},1,2" for k in range(20_000)]
        rows[15_000] = "150.0,1,two"
        path = write(tmp_path, "time,left_knee,right_knee\n" + "\n".join(rows), "a.csv")
        with pytest.raises(MotionFileError, match="'two'") as caught:
            read_motion(path)
        assert caught.value.line == 15_002

    def test_named_column_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(MotionFileError, match="no column is named 'knee'"):
            read_motion(write(tmp_path, MODERN), names=ColumnNames(left="knee"))

    def test_one_column_for_both_knees(self, tmp_path: Path) -> None:
        with pytest.raises(MotionFileError, match="cannot be two of"):
            read_motion(write(tmp_path, MODERN), names=ColumnNames(left="knee_angle_r"))


def bits(series: Floats) -> list[int]:
    bits: list[int] = series.view(np.int64).tolist()
    return bits


SERIES = hnp.arrays(
    np.float64,
    st.integers(2, 40),
    elements=st.floats(allow_nan=False) | st.sampled_from([-0.0, 5e-324, float("inf"), float("-inf")]),
)


class TestRoundTrip:
    @examples(60, share_fixtures=True)
    @given(
        left=SERIES,
        rate=st.floats(0.5, 20_000),
        start=st.floats(-1000, 1000),
        name=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
        | st.sampled_from(["endheader", "nr 5", "1 2", "#a"]),
        ending=st.sampled_from(["mot", "sto"]),
    )
    def test_opensim_is_bit_exact(
        self, tmp_path: Path, left: Floats, rate: float, start: float, name: str, ending: str
    ) -> None:
        path = tmp_path / f"a.{ending}"
        write_motion(path, Motion(left, left[::-1].copy(), rate, start, name))
        read = read_both(path)
        assert bits(read.left_knee) == bits(left)
        assert bits(read.right_knee) == bits(left[::-1])
        assert (read.sample_rate, read.start) == (rate, start)
        assert read.name == (name or "Knee angles")

    @examples(40, share_fixtures=True)
    @given(left=SERIES, rate=st.sampled_from([29.97, 50.0, 60.0, 100.0, 128.0, 1000.0]))
    def test_csv_is_bit_exact(self, tmp_path: Path, left: Floats, rate: float) -> None:
        write_motion(tmp_path / "a.csv", Motion(left, -left, rate))
        read = read_both(tmp_path / "a.csv")
        assert bits(read.left_knee) == bits(left)
        assert read.sample_rate == rate

    def test_nan_stays_nan(self, tmp_path: Path) -> None:
        series = np.array([1.0, np.nan, 2.0])
        write_motion(tmp_path / "a.mot", Motion(series, series, 100.0))
        assert np.isnan(read_both(tmp_path / "a.mot").left_knee).tolist() == [False, True, False]

    def test_failed_export_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = write(tmp_path, "precious")
        series = np.zeros(10)

        def fail(done: int, total: int) -> None:
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError, match="full"):
            write_motion(path, Motion(series, series, 100.0), on_progress=fail)
        assert [entry.name for entry in tmp_path.iterdir()] == ["walk.mot"]
        assert path.read_text() == "precious"

    @pytest.mark.parametrize("ending", ["mot", "sto", "csv"])
    def test_one_leg_comes_back_alone(self, tmp_path: Path, ending: str) -> None:
        series = np.array([1.5, -0.0, np.nan, 70.000000000000014])
        for left, right in ((series, None), (None, series)):
            write_motion(tmp_path / f"a.{ending}", Motion(left, right, 50.0))
            read = read_motion(tmp_path / f"a.{ending}")
            assert {side: bits(each) for side, each in read.knees.items()} == {
                "left" if right is None else "right": bits(series)
            }
            assert read.sample_rate == 50.0

    def test_other_endings_are_refused(self, tmp_path: Path) -> None:
        series = np.zeros(2)
        with pytest.raises(ValueError, match=r"ends in .mot, .sto or .csv"):
            write_motion(tmp_path / "a.pdf", Motion(series, series, 100.0))

    @pytest.mark.usefixtures("small_blocks")
    def test_many_rows(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        written = BothKnees(random.normal(size=60_000), random.normal(size=60_000), 1000.0)
        rows: list[tuple[int, int]] = []
        write_motion(tmp_path / "a.mot", written, on_progress=lambda *at: rows.append(at))
        progress: list[tuple[int, int]] = []
        read = read_both(tmp_path / "a.mot", on_progress=lambda *at: progress.append(at))
        assert np.array_equal(read.left_knee, written.left_knee)
        assert np.array_equal(read.right_knee, written.right_knee)
        size = (tmp_path / "a.mot").stat().st_size
        assert progress[-1] == (size, size)
        assert len(progress) > 20
        assert sorted(progress) == progress
        assert rows[-1] == (60_000, 60_000)
