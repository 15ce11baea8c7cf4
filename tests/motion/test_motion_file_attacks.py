"""Files that want to do harm, and files that are damaged anyhow: a clear error, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import hostile_motion_files as hostile
from helpers.examples import examples
from helpers.motion_files import LEFT, RIGHT, c3d_file, mvnx_file, workbook_file, workbook_parts
from motion.files import Motion, MotionFileError, TimeUnit, read_motion

MOST_MB = 150
"""What Python with numpy needs, and some of the pieces that are held at once."""
MOST_TEXT_MB = 450
"""The same with as much text as may come out of a sheet."""
READER = r"""
import json, re, sys
from pathlib import Path
from motion.files import MotionFileError, read_motion

said = {}
for path in json.load(sys.stdin):
    try:
        said[path] = f"read: {read_motion(path).sample_count}"
    except MotionFileError as error:
        said[path] = error.reason
# not getrusage: there a process begins with what the one that has started it holds
held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps([said, int(held[1]) / 1024]))
"""


def read_elsewhere(paths: list[Path], seconds: float = 120) -> tuple[dict[str, str], float]:
    """Read files in a process of their own: what is said of each, and the most megabytes it has held."""
    command = [sys.executable, "-W", "error", "-c", READER]
    given = json.dumps([str(path) for path in paths])
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr
    said, megabytes = json.loads(done.stdout)
    return {Path(path).name: reason for path, reason in said.items()}, megabytes


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells how much memory was held")
class TestHostileFiles:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (hostile.zip_bomb, "sheet1.xml in the workbook is larger than 256 MB"),
            (hostile.lying_sizes, "damaged ZIP archive or workbook"),
            (hostile.many_members, "too many files in it to be a workbook"),
            (hostile.long_tag, "a tag longer than 1,048,576 bytes"),
            (hostile.wide_rows, "no column is the time"),
            (hostile.repeated_text, "the sheet has too much text"),
            (hostile.deep_xml, "nested too deeply"),
            (hostile.entity_expansion, "defines entities"),
            (hostile.entities_in_a_workbook, "defines entities"),
            (hostile.mvnx_of_one_tag, "a tag longer than 1,048,576 bytes"),
            (hostile.mvnx_of_empty_frames, "holds no angles of knees"),
        ],
    )
    @pytest.mark.slow
    def test_they_cost_little(self, tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
        path = make(tmp_path)
        reasons, megabytes = read_elsewhere([path])
        assert said in reasons[path.name]
        assert megabytes < (MOST_TEXT_MB if make is hostile.repeated_text else MOST_MB)

    @pytest.mark.parametrize("make", [hostile.absurd_c3d, hostile.one_line, hostile.odd_text])
    def test_kinds_of_them(self, tmp_path: Path, make: Callable[[Path], Iterator[Path]]) -> None:
        reasons, megabytes = read_elsewhere(list(make(tmp_path)))
        assert all(reasons.values())
        assert megabytes < MOST_MB
        refused = {name for name, reason in reasons.items() if not reason.startswith("read: ")}
        assert len(refused) > len(reasons) / 2, reasons

    def test_lines_without_an_end(self, tmp_path: Path) -> None:
        for path in hostile.one_line(tmp_path):
            with pytest.raises(MotionFileError, match="the line is longer than"):
                read_motion(path)

    def test_a_row_of_many_cells(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("motion.files.workbook._MOST_CELLS", 100_000)
        with pytest.raises(MotionFileError, match="too many cells"):
            read_motion(hostile.many_cells(tmp_path, 110_000))

    def test_gaps_are_not_filled_without_measure(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("time,left_knee\n0,1\n0.01,1\n0.02,1\n0.03,1\n1000000,1\n")
        with pytest.raises(MotionFileError, match="with few samples between"):
            read_motion(path, allow_uneven=True)


def _seeds(folder: Path) -> dict[str, bytes]:
    rows = "".join(f"{at / 100}\t{a}\t{b}\n" for at, (a, b) in enumerate(zip(LEFT[:8], RIGHT[:8], strict=True)))
    head = "Coordinates\nversion=1\nnRows=8\nnColumns=3\ninDegrees=yes\nendheader\ntime\tknee_angle_l\tknee_angle_r\n"
    table = f"Sample Rate:,100,Hz\ntime,left_knee,right_knee\ns,deg,deg\n{rows}".replace("\t", ",")
    vicon = (
        "Model Outputs\n100\n,,A:LKneeAngles,,\nFrame,Sub Frame,X,Y,Z\n,,deg,deg,deg\n1,0,1,2,3\n2,0,4,5,6\n\nEvents\n"
    )
    cells = "".join(f'<row r="{at + 2}"><c t="n"><v>{at / 50}</v></c><c><v>{at}</v></c></row>' for at in range(6))
    names = '<row r="1"><c t="s"><v>0</v></c><c t="inlineStr"><is><t>left_knee</t></is></c></row>'
    sheet = workbook_parts({"A": names + cells}, ["time"])
    frames = [{"jLeftKnee": a, "jRightKnee": b} for a, b in zip(LEFT[:4], RIGHT[:4], strict=True)]
    return {
        ".mot": (head + rows).encode(),
        ".csv": table.encode(),
        ".tsv": vicon.encode(),
        ".xlsx": workbook_file(folder / "seed.xlsx", sheet).read_bytes(),
        ".mvnx": mvnx_file(folder / "seed.mvnx", frames).read_bytes(),
        ".c3d": c3d_file(folder / "seed.c3d", {"LKneeAngles": LEFT, "RKneeAngles": RIGHT}).read_bytes(),
    }


KINDS = (".mot", ".csv", ".tsv", ".xlsx", ".mvnx", ".c3d")
TOKENS = [
    *(b"\0", b"\r", b"\n", b"\t", b",", b";", b'"', b"#", b"-", b":", b"<", b">", b"&", b"]]>"),
    *(b"nan", b"1e999", b"1,5", b"99999999999999999999", b"endheader", b"PK\x03\x04"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xff\xff\xff", b"\x00\x00"),
]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "double", "cut"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
    """Damage a file in some places."""
    for kind, where, length, new in changes:
        at = int(where * len(data))
        match kind:
            case "replace":
                data = data[:at] + new + data[at + len(new) :]
            case "insert":
                data = data[:at] + new + data[at:]
            case "delete":
                data = data[:at] + data[at + length :]
            case "double":
                data = data[: at + length] + data[at:]
            case "cut":
                data = data[:at] if where > 0.3 else data
    return data


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give a small file of each kind by its ending."""
    return _seeds(tmp_path_factory.mktemp("seeds"))


class TestDamagedFiles:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_seeds_are_read(self, seeds: dict[str, bytes], tmp_path: Path, kind: str) -> None:
        path = tmp_path / f"a{kind}"
        path.write_bytes(seeds[kind])
        assert not read_motion(path).warnings or kind in (".xlsx", ".tsv")

    @pytest.mark.parametrize("kind", KINDS)
    @examples(150, share_fixtures=True)
    @given(
        changes=CHANGES,
        ending=st.sampled_from(KINDS),
        keeps_ending=st.booleans(),
        rate=st.none() | st.floats(0.1, 1e4),
        unit=st.sampled_from([None, "s", "ms", "days"]),
        radians=st.none() | st.booleans(),
        fills=st.booleans(),
    )
    def test_they_are_read_or_refused_and_nothing_else(
        self,
        seeds: dict[str, bytes],
        tmp_path: Path,
        kind: str,
        changes: list[tuple[str, float, int, bytes]],
        ending: str,
        keeps_ending: bool,
        rate: float | None,
        unit: TimeUnit | None,
        radians: bool | None,
        fills: bool,
    ) -> None:
        path = tmp_path / f"a{kind if keeps_ending else ending}"
        path.write_bytes(changed(seeds[kind], changes))
        try:
            check(read_motion(path, sample_rate=rate, time_unit=unit, radians=radians, allow_uneven=fills))
        except MotionFileError as refused:
            reason = refused.reason
            assert 0 < len(reason) < 2_000


def check(motion: Motion) -> None:
    """Assert what holds of every motion."""
    assert motion.knees
    assert motion.sample_count >= 1
    assert 0 < motion.sample_rate <= 1e6
    assert all(series.dtype == np.float64 for series in motion.knees.values())
    assert all(len(warning) < 500 for warning in motion.warnings)
