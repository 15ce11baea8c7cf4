"""``synovia import``: an export of Convex, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps import moved_chat
from cli.command_line import synovia
from helpers.convex_exports import MESSAGES, add_files, chat, write_export

APPLICATION = Path(moved_chat.__file__)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "convex-export.zip", chat())


def test_it_is_imported_and_functions_find_it(export: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    done = synovia("import", str(export), str(APPLICATION), "--store", store)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["users: 2 imported", "messages: 5 imported"]
    assert "note: users: ids of Convex are in no order" in done.stdout
    found = synovia("run", str(APPLICATION), "moved_chat:newest", '{"channel": "general"}', "--store", store)
    assert [each["_id"] for each in json.loads(found.stdout)] == [*reversed(MESSAGES)]
    again = synovia("import", str(export), str(APPLICATION), SYNOVIA_STORE=store)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[1] == "messages: 0 imported, 5 were there already"


def test_nothing_is_lost_in_silence(export: Path, tmp_path: Path) -> None:
    add_files(
        export,
        {"_storage/kg2.png": b"1234", "audit/documents.jsonl": b'{"_id": "a", "_creationTime": 1.0}\n'},
    )
    arguments = ("import", str(export), str(APPLICATION), "--store", f"sqlite:///{tmp_path / 'chat.db'}")
    done = synovia(*arguments)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        "not imported: table audit: 1 document; the application declares no such table",
        "not imported: _storage: 1 file, 4 bytes; files are not imported",
    ]
    assert synovia(*arguments, "--skip", "audit", "--skip", "_storage").returncode == 0


def test_only_checking_writes_nothing(export: Path, tmp_path: Path) -> None:
    store = tmp_path / "chat.db"
    done = synovia("import", str(export), str(APPLICATION), "--check", "--store", f"sqlite:///{store}")
    assert done.returncode == 0, done.stderr
    assert "messages: 5 can be imported" in done.stdout
    assert not store.exists()


def test_without_an_application_every_table_is_imported(export: Path, tmp_path: Path) -> None:
    done = synovia("import", str(export), "--store", f"sqlite:///{tmp_path / 'chat.db'}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["users: 2 imported", "messages: 5 imported"]


def test_what_is_refused(export: Path, tmp_path: Path) -> None:
    assert synovia("import", str(export)).returncode == 2  # into which database?
    broken = write_export(tmp_path / "broken.zip", {"users": "{\n"})
    store = tmp_path / "chat.db"
    done = synovia("import", str(broken), "--store", f"sqlite:///{store}")
    assert done.returncode == 1
    assert done.stderr.startswith("error: users/documents.jsonl:1: it is no JSON")
    assert "Traceback" not in done.stderr
    assert not store.exists()
