"""``synovia-motion`` against a real hub: import, list, export, and how it fails."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motion.cli import commands as cli
from motion.demo.stage import stage
from motion.files import Motion, read_motion, write_motion
from motion.gait import walk
from synovia.testing import TestApp

ANNA = "dev:anna@example.org"


@contextmanager
def hub_in_a_thread() -> Iterator[str]:
    """Run a hub on a loop of its own and give its URL: the command line wants its own loop."""
    ready = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with stage("sqlite://:memory:") as staged:
            urls.append(staged.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert ready.wait(30), "the hub did not start"
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with hub_in_a_thread() as url:
        yield url


@pytest.fixture
def walk_file(tmp_path: Path) -> Path:
    write_motion(tmp_path / "walk.mot", walk(3, seed=1))
    return tmp_path / "walk.mot"


def run(*args: str | Path) -> int:
    """Run the command line in this process and give its exit code."""
    with pytest.raises(SystemExit) as caught:
        cli.main([str(arg) for arg in args])
    code = caught.value.code
    assert isinstance(code, int)
    return code


def test_round_trip(url: str, walk_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = ("--url", url, "--token", ANNA)
    about = ("--notes", "stairs, left first", "--exercise", "stairs", "--tag", "gait", "--tag", "a [b]")
    assert run("import", walk_file, *hub, *about, "--register", "physiotherapist", "--subject", "anna@example.org") == 0
    shown = capsys.readouterr().out
    assert "301 samples a side at 100 Hz, 3 s" in shown
    found = re.match(r"saved (\w{24}):", shown)
    assert found is not None
    assert run("list", *hub) == 0
    shown = capsys.readouterr().out
    assert found[1] in shown
    assert "a [b]" in shown
    copy = walk_file.with_name("copy.mot")
    assert run("export", found[1], copy, *hub) == 0
    original, exported = read_motion(walk_file).both(), read_motion(copy).both()
    assert original.left_knee.tobytes() == exported.left_knee.tobytes()
    assert original.right_knee.tobytes() == exported.right_knee.tobytes()
    assert original.sample_rate == exported.sample_rate
    assert exported.name == "stairs, left first"


def test_a_large_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(3)
    write_motion(tmp_path / "a.csv", Motion(random.normal(size=70_000), random.normal(size=70_000), 1000.0))
    hub = ("--url", url, "--token", "dev:large@example.org")
    assert run("import", tmp_path / "a.csv", *hub, "--register", "patient", "--start", "2026-01-02T03:04:05") == 0
    captured = capsys.readouterr()
    assert "70,000 samples" in captured.out
    assert "100%" in captured.err


def test_damaged_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("time,left_knee,right_knee\n0,1,2\n0.1,NIL,2\n")
    assert run("import", tmp_path / "a.csv", "--url", url, "--token", ANNA) == cli.EXIT_FILE
    assert "a.csv:3: column 'left_knee' is not a number: 'NIL'" in capsys.readouterr().err


def test_warnings_are_told_on_stderr(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("time,right_knee\n0,1\n0.1,NA\n0.2,3\n")
    hub = ("--url", url, "--token", "dev:warned@example.org", "--register", "patient")
    assert run("import", tmp_path / "a.csv", *hub) == 0
    captured = capsys.readouterr()
    assert "3 samples of the right knee at 10 Hz" in captured.out
    assert f"{tmp_path / 'a.csv'}: warning: only the right knee is in the file" in captured.err
    assert "warning: 1 of the 3 samples of the right knee is missing" in captured.err
    assert "warning" not in captured.out


def test_one_leg_is_exported_alone(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = ("--url", url, "--token", "dev:leg@example.org")
    (tmp_path / "a.csv").write_text("time,left_knee\n0,1.5\n0.1,2.5\n0.2,3.5\n")
    assert run("import", tmp_path / "a.csv", *hub, "--register", "patient") == 0
    found = re.match(r"saved (\w{24}):", capsys.readouterr().out)
    assert found is not None
    for ending in ("mot", "csv"):
        copy = tmp_path / f"copy.{ending}"
        assert run("export", found[1], copy, *hub) == 0
        knees = read_motion(copy).knees
        assert {side: series.tolist() for side, series in knees.items()} == {"left": [1.5, 2.5, 3.5]}


def test_what_may_help_is_told(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = ("--url", url, "--token", "dev:helped@example.org", "--register", "patient")
    (tmp_path / "a.csv").write_text("time (s),left_knee\n0,1\n10,1\n20,1\n")
    assert run("import", tmp_path / "a.csv", *hub) == cli.EXIT_FILE
    assert "say the unit of the times (--time-unit)" in capsys.readouterr().err
    assert run("import", tmp_path / "a.csv", *hub, "--time-unit", "ms") == 0
    assert "at 100 Hz" in capsys.readouterr().out


def test_missing_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", tmp_path / "none.mot", "--url", url) == cli.EXIT_FILE
    assert "No such file" in capsys.readouterr().err


def test_not_registered(url: str, walk_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", walk_file, "--url", url, "--token", "dev:new@example.org") == cli.EXIT_REFUSED
    assert "--register" in capsys.readouterr().err


def test_stranger_as_subject(url: str, walk_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ("import", walk_file, "--url", url, "--token", "dev:s@example.org", "--register", "patient")
    assert run(*args, "--subject", "stranger@example.org") == cli.EXIT_REFUSED
    assert "stranger@example.org is not among your contacts" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["nonsense", "dev:"])
def test_token_that_is_not_accepted(url: str, walk_file: Path, token: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", walk_file, "--url", url, "--token", token) == cli.EXIT_REFUSED
    assert "Traceback" not in capsys.readouterr().err


def test_export_of_what_one_may_not_see(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = ("--url", url, "--token", "dev:carl@example.org")
    assert run("export", "0123456789abcdef01234567", tmp_path / "a.mot", *hub) == cli.EXIT_REFUSED
    assert not (tmp_path / "a.mot").exists()
    assert capsys.readouterr().err


def test_export_does_not_replace_a_file_unasked(url: str, walk_file: Path) -> None:
    before = walk_file.read_bytes()
    assert run("export", "0123456789abcdef01234567", walk_file, "--url", url) == cli.EXIT_FILE
    assert walk_file.read_bytes() == before


def test_no_hub(walk_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motion.cli.remote.CONNECT_SECONDS", 0.5)
    assert run("list", "--url", "ws://127.0.0.1:9", "--token", ANNA) == cli.EXIT_CONNECTION
    assert "no hub answers at ws://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("args", [["import"], ["list", "nothing"], ["list", "--limit", "0"], ["fly"]])
def test_wrong_usage(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*args) == cli.EXIT_USAGE
    assert capsys.readouterr().err


class TestAdmin:
    def test_an_account_that_is_there_and_one_that_is_not(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = f"sqlite:///{tmp_path / 'motion.db'}"
        for _ in range(2):
            assert run("admin", " Ada@Example.org ", "--store", store) == 0
            assert capsys.readouterr().out.strip() == "ada@example.org is an admin"
        admins, audit = asyncio.run(_seen_by("ada@example.org", store))
        assert [(user["email"], user["role"]) for user in admins["items"]] == [("ada@example.org", "admin")]
        assert {(entry["action"], entry["actor"]) for entry in audit["items"]} == {("users.appoint", "application")}

    def test_what_is_no_address(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("admin", "nobody", "--store", f"sqlite:///{tmp_path / 'motion.db'}") == cli.EXIT_REFUSED
        assert "email" in capsys.readouterr().err

    def test_no_database(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SYNOVIA_STORE", raising=False)
        assert run("admin", "ada@example.org") == cli.EXIT_USAGE
        assert "--store" in capsys.readouterr().err
        assert run("admin", "ada@example.org", "--store", "mongodb://me:secret@127.0.0.1/x") == cli.EXIT_USAGE
        assert "SYNOVIA_STORE_FILE" in capsys.readouterr().err
        (tmp_path / "file").touch()
        assert (
            run("admin", "ada@example.org", "--store", f"sqlite:///{tmp_path / 'file' / 'x.db'}") == cli.EXIT_CONNECTION
        )
        assert "store" in capsys.readouterr().err


async def _seen_by(email: str, store: str) -> tuple[dict[str, Any], dict[str, Any]]:
    async with TestApp(Path(cli.__file__).parents[1], store) as app:
        admin = app.caller(email)
        return await admin.query("admin:list_users"), await admin.query("admin:audit")
