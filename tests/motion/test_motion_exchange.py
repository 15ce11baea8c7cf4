from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from openapi_spec_validator import validate

from helpers.http_server import Answer, Served, serving
from helpers.motion_files import LEFT, RIGHT, c3d_file, mvnx_file
from helpers.patience import PATIENCE
from helpers.waiting import until
from motion.files import Motion, read_motion, write_motion
from motion.gait import walk
from synovia.functions.access import CallOrigin

MOTION = Path(__file__).parents[2] / "apps" / "motion"
TEMPLATE = (
    "name=walk\nversion=1\nnRows={rows}\nnColumns=3\ninDegrees=yes\nendheader\ntime\tknee_angle_l\tknee_angle_r\n"
)
GOOD_ROWS = [f"{at / 100:g}\t{at}\t{-at}" for at in range(20)]


def mot(rows: list[str]) -> bytes:
    return (TEMPLATE.format(rows=len(rows)) + "\n".join(rows) + "\n").encode()


def token(name: str) -> str:
    return f"dev:{name}@example.org"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads are kept while they come."""
    kept = tmp_path / "uploads"
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(kept))
    return kept


@pytest.fixture
async def clinic(folder: Path) -> AsyncIterator[Served]:
    async with serving(MOTION) as served:
        for name, role in (("anna", "physiotherapist"), ("ben", "patient"), ("eve", "patient")):
            await call(served, name, "users:register", {"name": name.title(), "role": role}, kind="mutation")
        yield served


async def call(served: Served, name: str, path: str, args: Any = None, *, kind: str = "query") -> Any:
    answer = await served.call(kind, path, args, token=token(name))
    assert answer.status == 200, answer.body
    return answer.json["result"]


async def send(
    served: Served, who: str | None, body: bytes, headers: dict[str, str] | None = None, **query: Any
) -> Answer:
    address = f"/import?{urlencode(query, doseq=True)}"
    return await served.ask("POST", address, body, headers, token=None if who is None else token(who))


def a_walk(seconds: float = 5.0) -> Motion:
    return walk(seconds)


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def same(a: Motion, b: Motion) -> bool:
    return {side: series.tobytes() for side, series in a.knees.items()} == {
        side: series.tobytes() for side, series in b.knees.items()
    }


# --- there and back -----------------------------------------------------------------------------------------------------


async def test_a_file_becomes_a_recording_and_a_file_again_to_the_last_bit(clinic: Served, tmp_path: Path) -> None:
    original = a_walk()
    write_motion(tmp_path / "walk.mot", original)
    answer = await send(clinic, "anna", (tmp_path / "walk.mot").read_bytes(), name="walk.mot", tag=["gait", "barefoot"])
    assert answer.status == 201, answer.body
    told = answer.json
    assert told == {
        "recordingId": told["recordingId"],
        "sampleCount": original.sample_count,
        "sampleRate": 100.0,
        "durationMs": original.duration_ms,
    }
    recording = await call(clinic, "anna", "recordings:get", {"recordingId": told["recordingId"]})
    assert (recording["notes"], recording["tags"]) == ("walk.mot", ["gait", "barefoot"])
    exported = await clinic.ask("GET", f"/export/{told['recordingId']}", token=token("anna"))
    assert exported.status == 200
    assert exported.headers["content-disposition"] == f'attachment; filename="{told["recordingId"]}.mot"'
    (tmp_path / "again.mot").write_bytes(exported.body)
    again = read_motion(tmp_path / "again.mot")
    assert same(again, original)
    assert (again.sample_rate, again.name) == (100.0, "walk.mot")


@pytest.mark.slow
async def test_a_long_recording_comes_back_whole(clinic: Served, tmp_path: Path, folder: Path) -> None:
    rng = np.random.default_rng(7)
    original = Motion(rng.normal(size=50_000), rng.normal(size=50_000), 148.5)
    write_motion(tmp_path / "long.sto", original)
    answer = await send(clinic, "anna", (tmp_path / "long.sto").read_bytes(), name="long.sto")
    assert answer.status == 201, answer.body
    exported = await clinic.ask("GET", f"/export/{answer.json['recordingId']}", token=token("anna"))
    (tmp_path / "again.mot").write_bytes(exported.body)
    again = read_motion(tmp_path / "again.mot")
    assert same(again, original)
    assert again.sample_rate == 148.5
    assert left_in(folder) == []


async def test_what_the_file_does_not_say_the_query_says(clinic: Served) -> None:
    body = b"links;rechts;Kommentar\n0,5;1,5;x\n1,0;2,0;y\n1,5;2,5;z\n"
    query: dict[str, Any] = {"leftColumn": "links", "rightColumn": "rechts", "sampleRate": "50", "radians": "true"}
    answer = await send(
        clinic, "anna", body, name=r"C:\Messungen\gang.csv", startTime=1_700_000_000_000, notes="my own", **query
    )
    assert answer.status == 201, answer.body
    assert (answer.json["sampleCount"], answer.json["sampleRate"], answer.json["durationMs"]) == (3, 50.0, 40.0)
    recording = await call(clinic, "anna", "recordings:get", {"recordingId": answer.json["recordingId"]})
    assert (recording["notes"], recording["startTime"]) == ("my own", 1_700_000_000_000)
    exported = await clinic.ask("GET", f"/export/{answer.json['recordingId']}", token=token("anna"))
    last = exported.body.decode().splitlines()[-1].split("\t")
    assert float(last[1]) == pytest.approx(np.degrees(1.5))


async def test_what_the_reader_assumes_is_told(clinic: Served) -> None:
    body = mot(GOOD_ROWS).replace(b"nRows=20", b"nRows=31")
    answer = await send(clinic, "anna", body, name="walk.mot")
    assert answer.status == 201, answer.body
    assert answer.json["warnings"] == [
        "the header says 31 rows (nRows, line 3), but 20 follow; the file may be cut off"
    ]


@pytest.mark.parametrize("side", ["left", "right"])
async def test_one_leg_alone_comes_and_goes(clinic: Served, tmp_path: Path, side: str) -> None:
    body = f"time,{side}_knee\n0,1.5\n0.01,2.5\n0.02,nan\n".encode()
    answer = await send(clinic, "anna", body, name="leg.csv")
    assert answer.status == 201, answer.body
    assert answer.json["sampleCount"] == 3
    assert answer.json["warnings"][0].startswith(f"only the {side} knee is in the file")
    recording = await call(clinic, "anna", "recordings:get", {"recordingId": answer.json["recordingId"]})
    assert {"leftKnee", "rightKnee"} & recording.keys() == {f"{side}Knee"}
    exported = await clinic.ask("GET", f"/export/{answer.json['recordingId']}", token=token("anna"))
    (tmp_path / "again.mot").write_bytes(exported.body)
    again = read_motion(tmp_path / "again.mot")
    assert list(again.knees) == [side]
    assert next(iter(again.knees.values())) == pytest.approx([1.5, 2.5, np.nan], nan_ok=True)


async def test_the_name_that_its_owner_gives_a_file_tells_what_is_in_it(clinic: Served) -> None:
    body = mot(GOOD_ROWS).replace(b"name=walk", b"walk")
    answer = await send(clinic, "anna", body, name="walk_Kinematics_u.sto")
    assert (answer.status, answer.code) == (422, "bad_motion_file")
    assert "the numbers are speeds" in answer.json["error"]["message"]


async def test_binary_kinds_are_read_too(clinic: Served, tmp_path: Path) -> None:
    c3d_file(tmp_path / "a.c3d", {"LKneeAngles": LEFT, "RKneeAngles": RIGHT})
    mvnx_file(tmp_path / "a.mvnx", [{"jLeftKnee": 1.0}, {"jLeftKnee": 2.0}])
    for name, count in (("a.c3d", 20), ("a.mvnx", 2)):
        answer = await send(clinic, "anna", (tmp_path / name).read_bytes(), name=name)
        assert answer.status == 201, answer.body
        assert answer.json["sampleCount"] == count


# --- files that cannot be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        (
            "walk.mot",
            mot(["0\t1\t2", "0.01\tNIL\t2", "0.02\t1\t2"]),
            "walk.mot:9: column 'knee_angle_l' is not a number",
        ),
        ("walk.mot", mot(["0\t1\t2", "0.01\t1", "0.02\t1\t2"]), "walk.mot:9: 2 columns, but there are 3 column names"),
        ("walk.mot", mot(GOOD_ROWS)[:-10], "walk.mot:27: "),
        ("walk.mot", b"", "walk.mot"),
        ("walk.csv", b"", "walk.csv"),
        ("walk.csv", b"\n\n\n", "walk.csv"),
        ("walk.mot", bytes(range(256)) * 40, "this is not text"),
        (
            "walk.mot",
            mot(GOOD_ROWS).decode().encode("utf-16"),
            "walk.mot:1: the text is UTF-16; save the file as UTF-8",
        ),
        ("walk.csv", b"time,hip_l,hip_r\n0,1,2\n0.1,1,2\n", "walk.csv:1: "),
        ("walk.csv", b"time,left_knee,right_knee\n0,1,2\n0,1,2\n", "walk.csv:3: "),
        ("walk.csv", b"time,left_knee,right_knee\n0,1,2\n", "one sample alone has no sample rate"),
        ("walk.csv", b"left_knee,right_knee\n1,2\n1,2\n", "no column is the time"),
        ("../../etc/passwd.mot", b"x" * 100, "passwd.mot:"),
        ("walk.mot", b"x" * (2 << 20), "the line is longer than"),
    ],
)
async def test_damage_is_told_with_its_line(clinic: Served, folder: Path, name: str, body: bytes, said: str) -> None:
    answer = await send(clinic, "anna", body, name=name)
    assert (answer.status, answer.code) == (422, "bad_motion_file"), answer.body
    error = answer.json["error"]
    assert said in error["message"]
    assert str(folder) not in error["message"]
    assert error["message"].endswith(error["data"]["reason"])
    assert left_in(folder) == []
    assert await call(clinic, "anna", "recordings:list_mine") == []


async def test_what_may_help_is_told_and_helps(clinic: Served) -> None:
    names = ["leftColumn", "rightColumn", "timeColumn"]
    cases: list[tuple[bytes, list[str], dict[str, Any]]] = [
        (b"time,left_knee\n0,1\n0.01,1\n0.02,1\n0.09,1\n", ["fillGaps"], {"fillGaps": "true"}),
        (b"time (s),left_knee\n0,1\n10,1\n20,1\n", ["timeUnit"], {"timeUnit": "ms"}),
        (b"left_knee\n1\n2\n", ["sampleRate", *names], {"sampleRate": "50"}),
        (b"time,left_knee_rad\n0,40\n0.1,40\n", ["radians"], {"radians": "false"}),
        (b"Zeit,links\n0,1\n0.1,1\n", names, {"leftColumn": "links", "timeColumn": "Zeit"}),
    ]
    for body, options, said in cases:
        refused = await send(clinic, "anna", body, name="walk.csv")
        assert (refused.status, refused.code) == (422, "bad_motion_file"), body
        assert refused.json["error"]["data"]["options"] == options
        taken = await send(clinic, "anna", body, name="walk.csv", **said)
        assert taken.status == 201, taken.body
    columns = (await send(clinic, "anna", cases[-1][0], name="walk.csv")).json["error"]["data"]["columns"]
    assert columns == ["Zeit", "links"]


async def test_a_file_that_is_too_large_is_refused_before_it_comes(clinic: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", clinic.port)
    head = f"POST /import HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token('anna')}\r\ncontent-length: 269484032\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(PATIENCE):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_form_is_refused_by_what_it_is(clinic: Served) -> None:
    answer = await send(clinic, "anna", b"--x", {"Content-Type": "multipart/form-data; boundary=x"}, name="walk.mot")
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "query",
    [
        {"colour": "red"},
        {"sampleRate": "-1"},
        {"sampleRate": "nan"},
        {"radians": "maybe"},
        {"timeUnit": "fortnights"},
        {"name": ["a.mot", "b.mot"]},
        {"name": "a\x00b.mot"},
        {"name": "/"},
        {"name": "x" * 256},
        {"tag": "x" * 101},
        {"tag": ["x"] * 51},
        {"subjectId": ""},
        {"startTime": "yesterday"},
    ],
)
async def test_queries_that_cannot_be_are_refused(clinic: Served, query: dict[str, Any]) -> None:
    answer = await send(clinic, "anna", mot(GOOD_ROWS), **query)
    assert (answer.status, answer.code) == (400, "invalid_arguments"), answer.body


async def test_an_upload_that_is_cut_off_leaves_nothing(
    clinic: Served, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", clinic.port)
    head = (
        f"POST /import HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token('anna')}\r\ncontent-length: 9000000\r\n\r\n"
    )
    writer.write(head.encode() + mot(GOOD_ROWS) * 4_000)
    await until(lambda: any(path.stat().st_size for path in folder.rglob("*.mot")) or any(folder.rglob("upload")))
    writer.transport.abort()
    await until(lambda: not left_in(folder))
    assert await call(clinic, "anna", "recordings:list_mine") == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_many_uploads_at_once_are_all_read(clinic: Served, folder: Path) -> None:
    answers = await asyncio.gather(*(send(clinic, "anna", mot(GOOD_ROWS), name=f"{n}.mot") for n in range(8)))
    assert [answer.status for answer in answers] == [201] * 8
    assert {each["notes"] for each in await call(clinic, "anna", "recordings:list_mine")} == {
        f"{n}.mot" for n in range(8)
    }
    assert left_in(folder) == []


# --- for whom -----------------------------------------------------------------------------------------------------------


async def test_only_people_with_recordings_import(clinic: Served, folder: Path) -> None:
    anonymous = await send(clinic, None, mot(GOOD_ROWS), name="walk.mot")
    assert (anonymous.status, anonymous.code) == (401, "unauthenticated")
    newcomer = await send(clinic, "nobody", mot(GOOD_ROWS), name="walk.mot")
    assert newcomer.status in (403, 422)
    assert newcomer.code in ("forbidden", "not_registered")


async def test_the_rules_of_saving_hold(clinic: Served) -> None:
    eve = (await call(clinic, "eve", "users:me"))["_id"]
    answer = await send(clinic, "anna", mot(GOOD_ROWS), name="walk.mot", subjectId=eve)
    assert (answer.status, answer.code) == (422, "not_a_contact")
    assert await call(clinic, "anna", "recordings:list_mine") == []


async def test_an_export_is_for_whom_the_recording_is(clinic: Served) -> None:
    ben = (await call(clinic, "ben", "users:me"))["_id"]
    mine = (await send(clinic, "ben", mot(GOOD_ROWS), name="walk.mot", subjectId=ben)).json["recordingId"]
    assert (await clinic.ask("GET", f"/export/{mine}", token=token("ben"))).status == 200
    hidden = await clinic.ask("GET", f"/export/{mine}", token=token("eve"))
    nothing = await clinic.ask("GET", "/export/6b0152dc52f3b1eebb852454", token=token("eve"))
    assert (hidden.status, hidden.code) == (404, "not_found")
    assert hidden.body == nothing.body
    assert (await clinic.ask("GET", f"/export/{mine}")).code == "unauthenticated"
    await call(clinic, "ben", "recordings:archive", {"recordingId": mine}, kind="mutation")
    assert (await clinic.ask("GET", f"/export/{mine}", token=token("ben"))).status == 200
    assert (await clinic.ask("GET", f"/export/{'x' * 300}", token=token("ben"))).code == "invalid_arguments"


@pytest.mark.slow
async def test_the_routes_are_described(clinic: Served) -> None:
    document = (await clinic.ask("GET", "/openapi.json")).json
    validate(document)
    assert {each["name"] for each in document["paths"]["/import"]["post"]["parameters"]} >= {"name", "subjectId", "tag"}
    assert document["paths"]["/export/{recording_id}"]["get"]["security"] == [{"token": []}]


async def test_admins_have_nothing_to_do_with_recordings(clinic: Served) -> None:
    made = await send(clinic, "ben", mot(GOOD_ROWS), name="walk.mot")
    appointed = await clinic.app.engine.mutate(
        "admin:appoint", {"email": "chief@example.org"}, None, origin=CallOrigin.FUNCTION
    )
    assert appointed.error is None
    for answer in (
        await send(clinic, "chief", mot(GOOD_ROWS), name="walk.mot"),
        await clinic.ask("GET", f"/export/{made.json['recordingId']}", token=token("chief")),
    ):
        assert (answer.status, answer.code) == (403, "forbidden")
