"""What the numbers of a file are, and how practice writes them: refused, read, or read with a warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motion.files import BothKnees, MotionFileError, TimeUnit, read_motion

KNEES = ([3.5, 12.25, 40.5, 61.0], [-2.5, -8.75, -33.0, -58.5])
TIMES = (0.02, 0.04, 0.06, 0.08)


def opensim(title: str = "Coordinates", *, unit: str = "yes", factor: float = 1.0, name: str = "") -> str:
    """Write an OpenSim file whose angles are those of KNEES times a factor."""
    rows = "".join(f"{at}\t{a * factor!r}\t{b * factor!r}\n" for at, a, b in zip(TIMES, *KNEES, strict=True))
    labels = name or "knee_angle_l\tknee_angle_r"
    return f"{title}\nversion=1\nnRows=4\nnColumns=3\ninDegrees={unit}\n\nendheader\ntime\t{labels}\n{rows}"


def table(header: str, *, step: float = 0.02, start: float = 0.02) -> str:
    """Write a table of KNEES below a header: time, left, right."""
    rows = [f"{start + at * step:.10g},{a},{b}" for at, (a, b) in enumerate(zip(*KNEES, strict=True))]
    return "\n".join([header, *rows]) + "\n"


def read(folder: Path, text: str | bytes, name: str = "walk.csv") -> BothKnees:
    """Read a file of both knees."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_motion(path).both()


def refused(folder: Path, text: str | bytes, name: str = "walk.csv") -> MotionFileError:
    """Give the error with which a file is refused."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MotionFileError) as caught:
        read_motion(path)
    return caught.value


def check(motion: BothKnees, *warnings: str) -> None:
    """Assert that a motion is KNEES at 50 Hz, and what it warns of."""
    assert (motion.left_knee.tolist(), motion.right_knee.tolist()) == KNEES
    assert motion.sample_rate == 50.0
    assert len(motion.warnings) == len(warnings), motion.warnings
    for said, part in zip(motion.warnings, warnings, strict=True):
        assert part in said


class TestWhatOpenSimSays:
    @pytest.mark.parametrize(
        ("title", "said"),
        [
            ("Speeds", "speeds"),
            ("Accelerations", "accelerations"),
            ("PositionErrors", "errors of the tracked positions"),
            ("Position Errors", "errors of the tracked positions"),
            ("ActuatorForces", "forces of actuators"),
            ("controls", "controls"),
            ("walk_RRA_controls", "controls"),
            ("Inverse Dynamics Generalized Forces", "moments and forces (inverse dynamics)"),
            ("UNKNOWN_GCVSpline_Deriv_1", "speeds or accelerations"),
        ],
    )
    def test_titles_of_other_things_are_refused(self, tmp_path: Path, title: str, said: str) -> None:
        error = refused(tmp_path, opensim(title), "walk.sto")
        assert error.line == 1
        assert f'the numbers are {said} (its title is "{title}")' in error.reason

    @pytest.mark.parametrize(
        "name", ["run_Kinematics_u.sto", "run_Kinematics_dudt.sto", "run_pErr.sto", "run_Actuation_force.sto"]
    )
    def test_names_of_other_things_are_refused_where_the_title_is_silent(self, tmp_path: Path, name: str) -> None:
        assert "by its name" in refused(tmp_path, opensim("first trial"), name).reason
        check(read(tmp_path, opensim("Coordinates"), name))

    def test_the_name_may_be_told_apart_from_the_path(self, tmp_path: Path) -> None:
        path = tmp_path / "upload.sto"
        path.write_text(opensim("first trial"))
        with pytest.raises(MotionFileError, match="speeds"):
            read_motion(path, file_name="run_Kinematics_u.sto")

    @pytest.mark.parametrize("title", ["Coordinates", "walk_states", "first trial", "normal_gait", "three speeds"])
    def test_titles_of_angles_are_read(self, tmp_path: Path, title: str) -> None:
        check(read(tmp_path, opensim(title), "walk.sto"))

    def test_the_ending_of_the_name_does_not_hide_the_title(self, tmp_path: Path) -> None:
        for name in ("walk.csv", "walk.txt", "walk"):
            assert "the numbers are speeds" in refused(tmp_path, opensim("Speeds"), name).reason
            check(read(tmp_path, opensim().replace("\t", ","), name))

    def test_a_name_that_a_person_gave_is_no_title(self, tmp_path: Path) -> None:
        check(read(tmp_path, opensim("name=Speeds"), "walk.mot"))


class TestPlausibility:
    def test_values_that_no_knee_reaches_are_refused(self, tmp_path: Path) -> None:
        error = refused(tmp_path, opensim("first trial", factor=9), "walk.mot")
        assert "the values reach 549°, further than a knee bends" in error.reason
        assert error.remedies == ()
        assert "reach 549°" in refused(tmp_path, table("time,left_knee,right_knee").replace("61.0", "549")).reason

    def test_one_spike_is_no_reason_to_refuse(self, tmp_path: Path) -> None:
        rows = "".join(f"{at / 100},{at % 60},{400 if at == 77 else -5}\n" for at in range(300))
        motion = read(tmp_path, "time,left_knee,right_knee\n" + rows)
        assert motion.right_knee[77] == 400
        assert motion.warnings == ("1 sample lies beyond ±200°, further than a knee bends",)

    def test_degrees_under_a_header_that_says_radians(self, tmp_path: Path) -> None:
        check(read(tmp_path, opensim(unit="no"), "walk.sto"), "the header says radians, but the values reach 61")
        error = refused(tmp_path, opensim("first trial", unit="no"), "walk.sto")
        assert error.remedies == ("angle_unit",)
        assert read_motion(tmp_path / "walk.sto", radians=False).both().left_knee.tolist() == KNEES[0]

    def test_what_may_be_radians_is_said(self, tmp_path: Path) -> None:
        rows = "".join(f"{at / 100},{np.sin(at / 9)},{np.cos(at / 9)}\n" for at in range(60))
        motion = read(tmp_path, "time,left_knee,right_knee\n" + rows)
        assert "if they are radians, say so" in motion.warnings[0]
        assert not read(tmp_path, "time,left_knee_deg,right_knee_deg\n" + rows).warnings
        assert not read(tmp_path, "time,left_knee [rad],right_knee [rad]\n" + rows).warnings

    def test_our_own_files_may_hold_anything(self, tmp_path: Path) -> None:
        text = opensim("name=x", factor=1e6).replace("version=1", "sampleRate=50.0")
        assert read(tmp_path, text, "a.mot").left_knee[0] == 3.5e6
        assert read(tmp_path, table("time,left_knee_deg,right_knee_deg").replace("61.0", "1e300")).left_knee[3] == 1e300


class TestWarnings:
    def test_wrong_counts(self, tmp_path: Path) -> None:
        said = "the header says 9 rows (nRows, line 3), but 4 follow; the file may be cut off"
        check(read(tmp_path, opensim().replace("nRows=4", "nRows=9"), "a.mot"), said)
        said = "the header says 2 rows (nRows, line 3), but 4 follow"
        check(read(tmp_path, opensim().replace("nRows=4", "nRows=2"), "a.mot"), said)
        said = "the header says 31 columns (nColumns, line 4), but 3 are named"
        check(read(tmp_path, opensim().replace("nColumns=3", "nColumns=31"), "a.mot"), said)

    def test_a_repeated_last_time_is_left_out(self, tmp_path: Path) -> None:
        text = opensim().replace("nRows=4", "nRows=5") + "0.08\t77\t-77\n"
        check(read(tmp_path, text, "a.sto"), "line 13 repeats the time of the sample before; it is left out")

    def test_a_sample_that_is_there_twice_is_left_out(self, tmp_path: Path) -> None:
        text = opensim().replace("nRows=4\n", "")
        doubled = text.replace("0.04\t12.25\t-8.75\n", "0.04\t12.25\t-8.75\n" * 2)
        check(read(tmp_path, doubled, "a.sto"), "line 10 repeats the time")
        other = text.replace("0.04\t12.25\t-8.75\n", "0.04\t12.25\t-8.75\n0.04\t13\t-8\n")
        assert "0.04 s does not come after 0.04 s" in refused(tmp_path, other, "a.sto").reason

    def test_the_steps_of_a_simulation_are_interpolated(self, tmp_path: Path) -> None:
        steps = np.random.default_rng(5).uniform(0.0001, 0.002, 500)
        times = 0.5 + np.cumsum(steps)
        rows = "".join(f"{t:.8f}\t{30 + 20 * np.sin(3 * t)}\t{10 * t}\n" for t in times)
        motion = read(tmp_path, f"walk_states\nendheader\ntime\tknee_angle_l\tknee_angle_r\n{rows}", "a.sto")
        assert "the samples are interpolated at" in motion.warnings[0]
        assert motion.right_knee == pytest.approx(10 * motion.times(), abs=1e-6)
        assert motion.left_knee == pytest.approx(30 + 20 * np.sin(3 * motion.times()), abs=1e-3)

    def test_a_gap_is_refused_with_what_helps(self, tmp_path: Path) -> None:
        assert refused(tmp_path, table("time,left_knee,right_knee") + "0.2,1,1\n").remedies == ("fill_gaps",)

    @pytest.mark.parametrize("cell", ["NA", "", "n/a", "#N/A", "NaN", "1.#QNAN", "-1.#IND", "-nan(ind)", "null"])
    def test_missing_samples(self, tmp_path: Path, cell: str) -> None:
        text = table("time,left_knee,right_knee").replace(",40.5,", f",{cell},")
        motion = read(tmp_path, text)
        assert np.isnan(motion.left_knee).tolist() == [False, False, True, False]
        assert motion.warnings == ("1 of the 4 samples of the left knee is missing",)
        text = opensim().replace("\t40.5\t", f"\t{cell or 'NaN'}\t")
        assert np.isnan(read(tmp_path, text, "a.mot").left_knee).sum() == 1


class TestVendors:
    @pytest.mark.parametrize(
        "header",
        [
            '"Time,s","Knee Flexion LT,deg","Knee Flexion RT,deg"',
            "time,Knee Flexion LT (deg),Knee Flexion RT (deg)",
            "time,Noraxon MyoMotion-Joints-Knee LT-Flexion (deg),Noraxon MyoMotion-Joints-Knee RT-Flexion (deg)",
            "time,Left Knee Angles_X,Right Knee Angles_X",
            "Time (s),LKneeAngles X,RKneeAngles X",
            "Time,Anna:LKneeAngles,Anna:RKneeAngles",
            "Time,Left Knee Flexion/Extension,Right Knee Flexion/Extension",
            "Time,jLeftKnee_z,jRightKnee_z",
            "Timestamp,LeftKnee_flexion,RightKnee_flexion",
            "time,kneeFlexionL,kneeFlexionR",
            "time,LKNEE_ANGLE,RKNEE_ANGLE",
            "time,L Knee Joint Angle [°],R Knee Joint Angle [°]",
        ],
    )
    def test_names_of_columns(self, tmp_path: Path, header: str) -> None:
        check(read(tmp_path, table(header)))

    @pytest.mark.parametrize(
        "label",
        [
            "Left Knee (deg/s)",
            "Left Knee Angular Velocity",
            "Left Knee Abduction/Adduction",
            "Left Knee Angles_Y",
            "LeftKnee_x",
            "jLeftKnee_x",
            "left_knee_moment (Nm)",
            "Left Knee %",
            "LKneeAngles_M",
            "knee_angle_l_beta",
        ],
    )
    def test_names_of_other_things(self, tmp_path: Path, label: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(table(f"time,{label},right_knee"))
        assert read_motion(path).left_knee is None

    def test_xsens_tables_without_a_rate(self, tmp_path: Path) -> None:
        joints = ("Abduction/Adduction", "Internal/External Rotation", "Flexion/Extension")
        header = ",".join(["Frame", *(f"{side} Knee {joint}" for side in ("Left", "Right") for joint in joints)])
        rows = "".join(f"{at},9,9,{a},9,9,{b}\n" for at, (a, b) in enumerate(zip(*KNEES, strict=True)))
        motion = read(tmp_path, f"{header}\n{rows}")
        assert (motion.left_knee.tolist(), motion.right_knee.tolist()) == KNEES
        assert motion.sample_rate == 60
        assert "it is taken as 60 Hz" in motion.warnings[0]
        assert read_motion(tmp_path / "walk.csv", sample_rate=240).sample_rate == 240

    def test_frames_tell_where_samples_are_missing(self, tmp_path: Path) -> None:
        text = "Sample Rate: 100\nFrame,left_knee,right_knee\n1,1,2\n2,2,2\n3,3,2\n7,7,2\n8,8,2\n9,9,2\n"
        error = refused(tmp_path, text)
        assert (error.line, error.remedies) == (6, ("fill_gaps",))
        assert read_motion(tmp_path / "walk.csv", allow_uneven=True).both().left_knee == pytest.approx(np.arange(1, 10))


class TestSpreadsheets:
    @pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(table("time,left_knee,right_knee"), id="plain"),
            pytest.param(table("time,left_knee,right_knee,,"), id="empty names"),
            pytest.param(table("time,left_knee,right_knee\ns,deg,deg"), id="units"),
            pytest.param(table("time,left_knee,right_knee\n[s],[°],[°]"), id="units in brackets"),
            pytest.param(table("Test:,Gait,\nSample Rate:,100,Hz\n\nTime,left_knee,right_knee"), id="rows above"),
            pytest.param(table("left knee brace\nTime,left_knee,right_knee"), id="a title that names a knee"),
            pytest.param(table("time,left_knee,right_knee") + ",,\n,,\n", id="empty rows"),
            pytest.param(opensim().replace("\t", ",").replace("\n", ",,\n", 7), id="OpenSim through a spreadsheet"),
            pytest.param(opensim().replace("\t", ";").replace(".", ","), id="OpenSim through a German one"),
        ],
    )
    def test_what_they_leave(self, tmp_path: Path, mark: str, end: str, text: str) -> None:
        content = (mark + text).replace("\n", end).encode()
        check(read(tmp_path, content, "a.mot" if "endheader" in text else "a.csv"))

    def test_separators_at_the_ends_of_rows_alone(self, tmp_path: Path) -> None:
        head, rows = table("time,left_knee,right_knee").split("\n", 1)
        check(read(tmp_path, f"{head}\n{rows.replace(chr(10), ',,' + chr(10))}"))

    def test_decimal_commas(self, tmp_path: Path) -> None:
        rows = [[str(cell).replace(".", ",") for cell in row] for row in zip(TIMES, *KNEES, strict=True)]
        quoted = "time,left_knee,right_knee\n" + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
        check(read(tmp_path, quoted))
        semicolons = "time;left_knee;right_knee\n" + "".join(";".join(row) + "\n" for row in rows)
        check(read(tmp_path, semicolons))
        tabs = opensim().replace(".", ",")
        check(read(tmp_path, tabs, "a.mot"))
        blanks = tabs.replace("\t", "   ")
        check(read(tmp_path, blanks, "a.mot"))

    def test_a_comma_among_points_is_no_decimal_comma(self, tmp_path: Path) -> None:
        text = opensim().replace("-33.0", "-33,0")
        assert "is not a number: '-33,0'" in refused(tmp_path, text, "a.mot").reason

    def test_a_unit_that_no_angle_has_is_refused(self, tmp_path: Path) -> None:
        error = refused(tmp_path, table("time,left_knee,right_knee\ns,deg/s,deg/s"))
        assert (error.line, error.reason) == (2, "the row of units says 'deg/s', which is no unit of an angle")

    def test_radians_in_the_row_of_units(self, tmp_path: Path) -> None:
        motion = read(tmp_path, "time,left_knee,right_knee\ns,rad,rad\n0,0.5,1\n0.01,0.5,1\n")
        assert motion.left_knee[0] == pytest.approx(np.degrees(0.5))

    def test_clock_times(self, tmp_path: Path) -> None:
        rows = "".join(f"12:59:59.{at}0,1,2\n" for at in range(8, 10)) + "13:00:00.00,1,2\n13:00:00.10,1,2\n"
        assert read(tmp_path, "Time,left_knee,right_knee\n" + rows).sample_rate == pytest.approx(10)

    def test_a_minus_sign_of_typesetters(self, tmp_path: Path) -> None:
        check(read(tmp_path, table("time,left_knee,right_knee").replace("-", "\N{MINUS SIGN}")))


class TestUnitsOfTime:
    @pytest.mark.parametrize(
        ("header", "unit_seconds"),
        [
            ("time_ms,left_knee,right_knee", 1e-3),
            ("Time (ms),left_knee,right_knee", 1e-3),
            ("timestamp [µs],left_knee,right_knee", 1e-6),
            ("time_us,left_knee,right_knee", 1e-6),
            ("Time (nanoseconds),left_knee,right_knee", 1e-9),
            ("time,left_knee,right_knee\nms,deg,deg", 1e-3),
            ("time,left_knee,right_knee\nµs,deg,deg", 1e-6),
            ("Time (min),left_knee,right_knee", 60),
        ],
    )
    def test_told_by_name_or_unit(self, tmp_path: Path, header: str, unit_seconds: float) -> None:
        motion = read(tmp_path, table(header, step=0.02 / unit_seconds, start=0))
        assert motion.sample_rate == pytest.approx(50, rel=1e-6)
        assert not motion.warnings

    @pytest.mark.parametrize(
        ("unit", "seconds", "rate"),
        [
            ("milliseconds", 1e-3, 20),
            ("milliseconds", 1e-3, 60),
            ("milliseconds", 1e-3, 100),
            ("microseconds", 1e-6, 60),
            ("microseconds", 1e-6, 100),
            ("microseconds", 1e-6, 1000),
            ("nanoseconds", 1e-9, 100),
            ("nanoseconds", 1e-9, 1000),
        ],
    )
    def test_told_by_size(self, tmp_path: Path, unit: str, seconds: float, rate: int) -> None:
        text = table("time,left_knee,right_knee", step=1 / rate / seconds, start=1_700_000_000)
        motion = read(tmp_path, text)
        assert motion.sample_rate == pytest.approx(rate, rel=1e-3)
        assert f"they are taken as {unit}" in motion.warnings[0]

    def test_a_name_that_cannot_be_is_refused_with_what_helps(self, tmp_path: Path) -> None:
        error = refused(tmp_path, table("time (s),left_knee,right_knee", step=20, start=0))
        assert "would be 0.05 Hz" in error.reason
        assert error.remedies == ("time_unit",)
        unit: TimeUnit = "ms"
        assert read_motion(tmp_path / "walk.csv", time_unit=unit).sample_rate == 50

    def test_one_hertz_is_said(self, tmp_path: Path) -> None:
        motion = read(tmp_path, table("time,left_knee,right_knee", step=1, start=0))
        assert motion.sample_rate == 1
        assert "which is slow" in motion.warnings[0]


class TestOneLeg:
    @pytest.mark.parametrize("side", ["left", "right"])
    def test_alone(self, tmp_path: Path, side: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(f"time,{side}_knee,{side}_hip\n0,1,9\n0.01,2,9\n0.02,3,9\n")
        motion = read_motion(path)
        assert {name: series.tolist() for name, series in motion.knees.items()} == {side: [1, 2, 3]}
        assert motion.warnings[0].startswith(f"only the {side} knee is in the file")
        with pytest.raises(ValueError, match="was not measured"):
            motion.both()

    def test_a_single_column(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("left_knee\n1\n2\n\n3\n")
        motion = read_motion(path, sample_rate=100)
        assert motion.left_knee is not None
        assert motion.left_knee.tolist() == [1, 2, 3]

    def test_two_that_may_be_one_knee_are_asked_about(self, tmp_path: Path) -> None:
        error = refused(tmp_path, table("time,left_knee,left_knee_flexion"))
        assert error.remedies == ("columns",)
        assert error.columns == ("time", "left_knee", "left_knee_flexion")
