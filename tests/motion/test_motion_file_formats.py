"""C3D, MVNX, workbooks and Vicon's ASCII: read where they hold angles; other formats are refused by their names."""

from __future__ import annotations

import sys
from datetime import time
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from helpers.motion_files import LEFT, RIGHT, c3d_file, mvnx_file, workbook_file, workbook_parts
from motion.files import ColumnNames, MotionFileError, read_motion


def reason(path: Path) -> str:
    """Give why a file is refused."""
    with pytest.raises(MotionFileError) as caught:
        read_motion(path)
    return caught.value.reason


class TestC3d:
    def test_angles_that_a_model_has_put_there(self, tmp_path: Path) -> None:
        left = LEFT.copy()
        left[3] = np.nan
        points = {"LKNE": RIGHT * 9, "S:LKneeAngles": left, "S:RKneeAngles": RIGHT, "RANK": LEFT * 7}
        motion = read_motion(c3d_file(tmp_path / "a.c3d", points, rate=120, first_frame=5)).both()
        assert motion.sample_rate == 120
        assert motion.left_knee == pytest.approx(left, rel=1e-6, nan_ok=True)
        assert motion.right_knee == pytest.approx(RIGHT, rel=1e-6)
        assert motion.warnings == ("1 of the 20 samples of the left knee is missing",)

    def test_integers_and_radians(self, tmp_path: Path) -> None:
        path = c3d_file(tmp_path / "a.c3d", {"LKneeAngles": np.array([1.0, 2.0, 1.5])}, unit="rad", scale=0.01)
        motion = read_motion(path)
        assert motion.left_knee == pytest.approx(np.degrees([1.0, 2.0, 1.5]))

    def test_markers_alone_are_refused_with_what_to_export(self, tmp_path: Path) -> None:
        said = reason(c3d_file(tmp_path / "a.c3d", {"LKNE": LEFT, "RKNE": RIGHT}))
        assert "holds no angles of knees, only points such as 'LKNE', 'RKNE'" in said
        assert "Plug-in Gait" in said

    def test_named_points(self, tmp_path: Path) -> None:
        path = c3d_file(tmp_path / "a.c3d", {"Links": LEFT, "Rechts": RIGHT})
        motion = read_motion(path, names=ColumnNames(left="links", right="rechts")).both()
        assert motion.left_knee == pytest.approx(LEFT, rel=1e-6)

    def test_content_decides_not_the_name(self, tmp_path: Path) -> None:
        path = c3d_file(tmp_path / "a.csv", {"LKneeAngles": LEFT})
        assert read_motion(path).sample_count == 20
        (tmp_path / "b.c3d").write_text("time,left_knee\n0,1\n1,2\n")
        assert reason(tmp_path / "b.c3d") == "the file is named .c3d but is no C3D file inside"

    def test_a_file_that_is_cut_off(self, tmp_path: Path) -> None:
        points = {"LKneeAngles": np.linspace(0, 60, 500), "RKneeAngles": np.linspace(1, 60, 500)}
        path = c3d_file(tmp_path / "a.c3d", points)
        path.write_bytes(path.read_bytes()[:-4096])
        motion = read_motion(path)
        assert 300 < motion.sample_count < 500
        assert "its header says 500; it may be cut off" in motion.warnings[0]

    def test_without_the_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = c3d_file(tmp_path / "a.c3d", {"LKneeAngles": LEFT})
        monkeypatch.setitem(sys.modules, "c3d", None)
        assert "only where synovia-motion[c3d] is installed" in reason(path)


class TestMvnx:
    def test_the_last_angle_of_a_joint_is_flexion(self, tmp_path: Path) -> None:
        frames = [{"jLeftKnee": a, "jRightKnee": b} for a, b in zip(LEFT, RIGHT, strict=True)]
        motion = read_motion(mvnx_file(tmp_path / "a.mvnx", frames, rate="240")).both()
        assert motion.left_knee.tolist() == LEFT.tolist()
        assert motion.right_knee.tolist() == RIGHT.tolist()
        assert (motion.sample_rate, motion.name, motion.warnings) == (240, "Anna", ())

    def test_frames_without_angles_are_missing_samples(self, tmp_path: Path) -> None:
        path = mvnx_file(tmp_path / "a.mvnx", [{"jLeftKnee": 1.0}, None, {"jLeftKnee": 3.0}], joints=["jLeftKnee"])
        motion = read_motion(path)
        assert motion.right_knee is None
        assert motion.left_knee == pytest.approx([1.0, np.nan, 3.0], nan_ok=True)

    def test_without_angles_of_knees(self, tmp_path: Path) -> None:
        assert "holds no angles of knees" in reason(mvnx_file(tmp_path / "a.mvnx", [{}], joints=["jL5S1"]))
        assert "holds no angles of knees" in reason(mvnx_file(tmp_path / "b.mvnx", [None, None]))

    def test_angles_that_do_not_fit_the_joints(self, tmp_path: Path) -> None:
        path = mvnx_file(tmp_path / "a.mvnx", [{}, {}])
        path.write_text(path.read_text().replace("-1 99 0.0", "99 0.0", 1))
        assert "has 11 angles in frame 1 for 4 joints" in reason(path)


class TestWorkbooks:
    @pytest.fixture
    def book(self) -> openpyxl.Workbook:
        """A workbook as a spreadsheet program writes it: a cover, then a sheet of samples with the rate above."""
        book = openpyxl.Workbook()
        cover = book.active
        cover.title = "Session"
        cover.append(["Patient", 'A, "B"\tC'])
        cover.append(["Sampling rate", 50])
        return book

    def test_the_sheet_with_the_knees_is_read(self, tmp_path: Path, book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Angles")
        sheet.append(["Walk #1"])
        sheet.append([])
        sheet.append(["Time (ms)", "Left Knee Flexion", "Comment", "Right Knee Flexion"])
        sheet.append(["ms", "deg", None, "deg"])
        for at, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True)):
            sheet.append([at * 10, a if at != 4 else None, "fine, thanks" if at % 2 else None, b])
        book.create_sheet("Notes")
        book.save(tmp_path / "a.xlsx")
        motion = read_motion(tmp_path / "a.xlsx").both()
        assert (motion.sample_rate, motion.name) == (100, "Angles")
        assert np.flatnonzero(np.isnan(motion.left_knee)).tolist() == [4]
        assert motion.right_knee.tolist() == RIGHT.tolist()

    def test_the_rate_may_stand_in_another_sheet(self, tmp_path: Path, book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Joint Angles ZXY")
        sheet.append(["Frame", "Left Knee Abduction/Adduction", "Left Knee Flexion/Extension"])
        for at, a in enumerate(LEFT):
            sheet.append([at, 1, a])
        book.save(tmp_path / "a.xlsx")
        motion = read_motion(tmp_path / "a.xlsx")
        assert (motion.sample_rate, list(motion.knees)) == (50, ["left"])

    def test_times_of_day_and_texts_of_numbers(self, tmp_path: Path, book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Angles")
        sheet.append(["Time", "left_knee", "right_knee"])
        for at, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True)):
            sheet.append([time(9, 30, 0, at * 20_000), str(a), b])
        book.save(tmp_path / "a.xlsx")
        motion = read_motion(tmp_path / "a.xlsx").both()
        assert motion.sample_rate == pytest.approx(50, rel=1e-4)
        assert motion.left_knee.tolist() == LEFT.tolist()

    def test_formulas_inline_texts_and_rows_that_are_not_there(self, tmp_path: Path) -> None:
        head = '<row r="2"><c r="B2" t="inlineStr"><is><t>time</t></is></c><c r="C2" t="s"><v>0</v></c></row>'
        rows = "".join(
            f'<row r="{at + 4}"><c r="B{at + 4}"><f>B3+1</f><v>{at / 100}</v></c><c r="C{at + 4}"><v>{at}</v></c></row>'
            for at in range(5)
        )
        path = workbook_file(tmp_path / "a.xlsx", workbook_parts({"S": head + rows}, ["left_knee"]))
        motion = read_motion(path)
        assert motion.left_knee is not None
        assert motion.left_knee.tolist() == [0, 1, 2, 3, 4]
        damaged = workbook_parts({"S": head + rows.replace("<v>3<", "<v>x<")}, ["left_knee"])
        broken = workbook_file(tmp_path / "b.xlsx", damaged)
        with pytest.raises(MotionFileError) as caught:
            read_motion(broken)
        assert (caught.value.line, caught.value.reason) == (7, "column 'left_knee' is not a number: 'x'")

    def test_without_knees(self, tmp_path: Path, book: openpyxl.Workbook) -> None:
        book.save(tmp_path / "a.xlsx")
        assert "no sheet of the workbook ('Session') has a column that is a knee's angle" in reason(tmp_path / "a.xlsx")

    def test_named_columns(self, tmp_path: Path, book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Messung")
        for row in (["Zeit", "links"], [0, 1], [0.5, 2]):
            sheet.append(row)
        book.save(tmp_path / "a.xlsx")
        motion = read_motion(tmp_path / "a.xlsx", names=ColumnNames(time="Zeit", left="Links"))
        assert (motion.sample_rate, list(motion.knees)) == (2, ["left"])


VICON = """Model Outputs
100
,,Ann:LAnkleAngles,,,Ann:LKneeAngles,,,Ann:RKneeAngles,,
Frame,Sub Frame,X,Y,Z,X,Y,Z,X,Y,Z
,,deg,deg,deg,deg,deg,deg,deg,deg,deg
11,0,9,9,9,1.5,9,9,-2.5,9,9
12,0,9,9,9,2.5,9,9,-3.5,9,9
13,0,9,9,9,,,,-4.5,9,9
14,0,9,9,9,4.5,9,9,-5.5,9,9
"""
DEVICES = "Devices\n1000\n,,Force Plate,,\nFrame,Sub Frame,Fx,Fy,Fz\n,,N,N,N\n" + "1,0,1,2,3\n" * 150 + "\n"
TRAJECTORIES = "\nTrajectories\n100\n,,Ann:LKNE,,\nFrame,Sub Frame,X,Y,Z\n,,mm,mm,mm\n11,0,400,500,600\n"


class TestVicon:
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    @pytest.mark.parametrize("text", [VICON, DEVICES + VICON + TRAJECTORIES], ids=["alone", "among others"])
    def test_model_outputs(self, tmp_path: Path, text: str, separator: str, mark: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(mark + text.replace(",", separator))
        motion = read_motion(path).both()
        assert motion.left_knee == pytest.approx([1.5, 2.5, np.nan, 4.5], nan_ok=True)
        assert motion.right_knee.tolist() == [-2.5, -3.5, -4.5, -5.5]
        assert motion.sample_rate == 100
        assert motion.warnings == ("1 of the 4 samples of the left knee is missing",)

    def test_without_model_outputs(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(DEVICES + TRAJECTORIES)
        assert "with Devices, Trajectories but without Model Outputs; run the model" in reason(path)


def test_the_rows_of_names_of_visual3d(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(
        "\ta.c3d\ta.c3d\ta.c3d\ta.c3d\n\tLeft Knee Angles\tLeft Knee Angles\tLeft Knee Angles\tTIME\n"
        "\tLINK_MODEL_BASED\tLINK_MODEL_BASED\tLINK_MODEL_BASED\tFRAME_NUMBERS\n\tORIGINAL\tORIGINAL\tORIGINAL\tORIGINAL\n"
        "ITEM\tX\tY\tZ\tX\n1\t5\t9\t9\t0.00\n2\t6\t9\t9\t0.01\n3\t7\t9\t9\t0.02\n"
    )
    motion = read_motion(path, sample_rate=100)
    assert motion.left_knee is not None
    assert motion.left_knee.tolist() == [5, 6, 7]


def test_names_of_groups_over_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Patient,Anna,,,\n,Left knee,,Right knee,\nTime (s),Flexion,Rotation,Flexion,Rotation\ns,deg,deg,deg,deg\n"
        "0,1,9,-1,9\n0.01,2,9,-2,9\n0.02,3,9,-3,9\n"
    )
    motion = read_motion(path).both()
    assert (motion.left_knee.tolist(), motion.right_knee.tolist()) == ([1, 2, 3], [-1, -2, -3])
    assert not motion.warnings


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.bvh", b"HIERARCHY\nROOT Hips\n{\n", "this is BVH, a skeleton's rotations"),
        ("a.mot", b"HIERARCHY\r\nROOT Hips\n{\n", "this is BVH, a skeleton's rotations"),
        ("a.trc", b"PathFileType\t4\t(X/Y/Z)\ta.trc\n", "this is TRC, a file of marker positions"),
        ("a.txt", b"PathFileType\t4\t(X/Y/Z)\ta.trc\n", "this is TRC, a file of marker positions"),
        ("a.trc", b"anything", "this is by its name TRC"),
        ("a.tsv", b"NO_OF_FRAMES\t9\nNO_OF_CAMERAS\t0\n", "this is a Qualisys table (TSV)"),
        ("a.csv", b"Format Version,1.23,Take Name,walk\n", "this is a Motive take"),
        ("a.fbx", b"Kaydara FBX Binary  \x00\x1a", "this is FBX"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an old Excel workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an old Excel workbook"),
        ("a.xlsx", b"time,left_knee\n", "named .xlsx but is no XLSX file inside"),
        ("a.mvnx", b"<?xml version='1.0'?><gpx>", "named .mvnx but is no MVNX file inside"),
        ("a.osim", b'<?xml version="1.0"?>\n<OpenSimDocument Version="4">', "this is an OpenSim model or setup"),
        ("a.csv", b"<!DOCTYPE html><html>", "this is a web page"),
        ("a.csv", b"%PDF-1.7", "this is a PDF document"),
        ("a.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "this is a MATLAB file"),
        ("a.csv", b"\x1f\x8b\x08\x00", "this is compressed (gzip)"),
        ("a.csv", b'{"time": [0, 1]}', "this is JSON"),
        ("a.csv", b"PK\x03\x04 nothing", "damaged ZIP archive"),
    ],
)
def test_other_formats_are_refused_by_their_names(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert said in reason(path)


def test_archives_are_told_apart(tmp_path: Path) -> None:
    assert "this is a ZIP archive" in reason(workbook_file(tmp_path / "a.zip", {"walk.mot": "x"}))
    assert "(.ods)" in reason(workbook_file(tmp_path / "a.ods", {"mimetype": "x", "content.xml": "<x/>"}))
    assert "(.xlsb)" in reason(workbook_file(tmp_path / "a.xlsb", {"xl/workbook.bin": b"x"}))
