"""``synovia export``, ``import``, ``backup``, ``restore``: from one database into another, beside hubs, killed, resumed."""

from __future__ import annotations

import asyncio
import csv
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from apps import posts
from cli.command_line import ENVIRONMENT, synovia
from helpers.exported_store import fill, insert
from helpers.forked_commands import SYNOVIA, PipedCommand
from synovia.app import Synovia
from synovia.cli.operations import answering
from synovia.config import Settings
from synovia.export.writing import export_store
from synovia.functions.registry import collect
from synovia.schema import TableSpec
from synovia.store import open_store

POSTS = Path(posts.__file__)
MANY = 30_000


@pytest.fixture
async def database(tmp_path: Path) -> str:
    """Give the address of a database with something in it."""
    store = open_store(f"sqlite:///{tmp_path / 'source.db'}")
    await store.open([TableSpec(name) for name in ("notes", "recordings", "_sessions", "_migrations")])
    await fill(store)
    await store.close()
    return f"sqlite:///{tmp_path / 'source.db'}"


def test_a_backup_is_restored_and_compared(database: str, tmp_path: Path) -> None:
    file, target = str(tmp_path / "all.synovia"), f"sqlite:///{tmp_path / 'target.db'}"
    done = synovia("backup", file, "--store", database)
    assert done.returncode == 0, done.stderr
    assert "notes: 18 documents" in done.stdout
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600, "it holds everybody's data"
    checked = synovia("restore", file, "--check")
    assert (checked.returncode, "_sessions: 1 can be imported" in checked.stdout) == (0, True)
    refused = synovia("import", file, "--store", target)
    assert (refused.returncode, "all.synovia is a backup: it has the keys" in refused.stderr) == (1, True)
    assert not (tmp_path / "target.db").exists()
    done = synovia("restore", file, "--store", target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "compared: every document and array is there as in the file"
    again = synovia("restore", file, "--store", target)
    assert (again.returncode, "holds documents already (of notes)" in again.stderr) == (1, True)
    assert "--into-existing" not in again.stderr, "restore has no such option"
    assert "synovia reset" in again.stderr
    assert synovia("reset", "--yes", "--store", target).returncode == 0
    assert synovia("restore", file, "--store", target).returncode == 0, "so an old backup comes over newer documents"


def test_export_and_import_as_json(database: str, tmp_path: Path) -> None:
    file, target = str(tmp_path / "x.synovia"), f"sqlite:///{tmp_path / 'target.db'}"
    told = json.loads(synovia("export", file, "--store", database, "--json").stdout)
    assert (told["tables"]["notes"]["documents"], told["arrays"]["count"]) == (18, 4)
    assert "_sessions" not in told["tables"]
    done = synovia("import", file, "--store", target, "--skip", "recordings", "--json")
    assert [each["table"] for each in json.loads(done.stdout)["imported"]["tables"]] == ["_migrations", "notes"]
    done = synovia("import", file, "--store", target, "--into-existing")
    assert "notes: 0 imported, 18 were there already" in done.stdout


def test_what_is_refused(database: str, tmp_path: Path) -> None:
    file = tmp_path / "x.synovia"
    assert synovia("export", str(file)).returncode == 2  # of which database?
    assert synovia("export", str(file), "--store", f"sqlite:///{tmp_path / 'none.db'}").returncode == 4
    assert not (tmp_path / "none.db").exists()
    file.write_text("mine")
    done = synovia("export", str(file), "--store", database)
    assert (done.returncode, "--force" in done.stderr, file.read_text()) == (1, True, "mine")
    done = synovia("import", str(file), "--store", f"sqlite:///{tmp_path / 'target.db'}")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.startswith(f"error: {file}: it was cut")
    assert not (tmp_path / "target.db").exists()
    assert synovia("export", str(file), "--store", database, "--force").returncode == 0
    done = synovia("import", str(file), str(POSTS), "--store", f"sqlite:///{tmp_path / 'target.db'}")
    assert (done.returncode, "notes: the application declares no such table" in done.stderr) == (1, True)
    assert sorted(each.name for each in tmp_path.iterdir() if "part" in each.name) == []


def test_one_table_for_other_programs(database: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    assert synovia("export", str(file), "--table", "notes", "--store", database).returncode == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert {str(row["_id"]): row.get("value") for row in rows}["n13"] == "2026-11-28T01:02:03.004000+00:00"
    table = tmp_path / "notes.csv"
    assert synovia("export", str(table), "--table", "notes", "--store", database).returncode == 0
    with table.open(newline="") as lines:
        cells = {row["_id"]: row for row in csv.DictReader(lines)}
    assert [*cells["n00"]] == ["_id", "name", "value", "_creationTime"]
    assert (cells["n00"]["value"], cells["n15"]["value"]) == ("5", '[1, [2.5, {"a": "b"}]]')
    wrong = synovia("export", str(file), "--table", "nothing", "--store", database, "--force")
    assert (wrong.returncode, "there is no table 'nothing'" in wrong.stderr) == (1, True)
    assert synovia("export", str(tmp_path / "x.pdf"), "--table", "notes", "--store", database).returncode == 2
    unsaid = synovia("export", str(tmp_path / "notes.csv"), "--store", database)
    assert (unsaid.returncode, "say --table" in unsaid.stderr) == (2, True), "no archive is called so"


@pytest.mark.slow
async def test_killed_and_run_again_it_goes_on(tmp_path: Path) -> None:
    source, target = open_store("sqlite://:memory:"), tmp_path / "target.db"
    await source.open([TableSpec("notes")])
    for start in range(0, MANY, 1000):
        await insert(source, "notes", *({"_id": f"{number:08}"} for number in range(start, start + 1000)))
    with (tmp_path / "x.synovia").open("wb") as file:
        manifest = await export_store(source, file)
    await source.close()
    arguments = ("import", str(tmp_path / "x.synovia"), "--store", f"sqlite:///{target}")
    importing = PipedCommand(SYNOVIA, arguments, ENVIRONMENT)
    while not target.exists() or target.stat().st_size + _size(target, "-wal") < 1_000_000:
        assert importing.poll() is None, importing.stdout.read()
        await asyncio.sleep(0.001)
    importing.kill()
    importing.wait(30)
    importing.stdout.close()
    done = await asyncio.to_thread(synovia, *arguments)
    assert done.returncode == 0, done.stderr
    first, second, *_ = done.stdout.splitlines()
    assert first == "going on with an import that had not ended"
    made, there = (int(word.replace(",", "")) for word in second.split() if word[0].isdigit())
    assert made + there == manifest.tables["notes"].documents == MANY
    assert made > 0
    assert there > 0
    wrong = await asyncio.to_thread(synovia, "restore", *arguments[1:])
    assert "holds documents already" in wrong.stderr


def _size(path: Path, ending: str) -> int:
    beside = path.with_name(path.name + ending)
    return beside.stat().st_size if beside.exists() else 0


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[str]:
    """Give the address of a store that a hub in this process has, and that is written all the while."""
    where = f"sqlite:///{tmp_path / 'hub.db'}"
    app = Synovia(collect("posts", [posts]), settings=Settings(store=where))
    async with app.lifespan(), answering(app, where):
        await app.mutation("posts:post", {"wall": "w", "text": "hello"})
        yield where


@pytest.mark.slow
async def test_beside_a_hub_that_has_the_file(hub: str, tmp_path: Path) -> None:
    file = str(tmp_path / "x.synovia")
    done = await asyncio.to_thread(synovia, "backup", file, "--store", hub)
    assert (done.returncode, "posts: 1 document\n" in done.stdout) == (0, True), done.stderr
    done = await asyncio.to_thread(synovia, "backup", file, "--store", hub)
    assert (done.returncode, "--force" in done.stderr) == (1, True)
    table = str(tmp_path / "posts.csv")
    assert (await asyncio.to_thread(synovia, "export", table, "--table", "posts", "--store", hub)).returncode == 0
    done = await asyncio.to_thread(synovia, "restore", file, "--store", hub)
    assert (done.returncode, "Traceback" in done.stderr) == (4, False), done.stderr


async def test_calls_beside_a_hub_that_has_the_file(hub: str) -> None:
    done = await asyncio.to_thread(synovia, "calls", "--store", hub, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["failed"] == 0
    shown = await asyncio.to_thread(synovia, "calls", "--failed", "--store", hub)
    assert (shown.returncode, shown.stdout.startswith("0 pending")) == (0, True)
