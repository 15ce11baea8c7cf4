"""``synovia migrate``: what a version finds, what has run, and running it, on both stores and beside a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from typer.testing import CliRunner, Result

from helpers.written_applications import write_application
from synovia.app import Synovia
from synovia.cli.commands import app as commands
from synovia.cli.operations import answering
from synovia.config import Settings
from synovia.keys import BY_ID, IndexSpec, prefix
from synovia.schema import Document
from synovia.schema.specs import TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Write

BY_TITLE = IndexSpec("by_title", ("title",))
OLD = TableSpec("recordings", (BY_TITLE,))

NEWER = """
class Recording(Table, name="recordings", indexes=[Index("by_name", "name", unique=True)]):
    name: str

class Review(Table):
    text: str

@migration(Recording)
async def title_becomes_name(ctx: MutationContext, document: dict[str, object]) -> None:
    if "title" in document:
        document["name"] = document.pop("title")
"""


def migrate(*arguments: str, store: str) -> Result:
    return CliRunner().invoke(commands, ["migrate", *arguments, "--store", store], env={"SYNOVIA_STORE": None})


def document(number: int, **fields: Any) -> Document:
    return {"_id": ObjectId(f"{number:024x}"), **fields}


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a database that an older version has filled."""
    address = f"sqlite:///{tmp_path / 'data.db'}"
    if request.param == "mongodb":
        uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
        before, _, options = uri.partition("?")
        address = f"{before.rstrip('/')}/{name}?{options}"
    await fill(address, [document(n, title=f"song {n % 40}") for n in range(41)])
    return address


async def fill(address: str, documents: list[Document]) -> None:
    store = open_store(address)
    await store.open([OLD])
    await store.commit(Batch([Write("recordings", each["_id"], None, each) for each in documents]))
    await store.close()


async def contents(address: str) -> tuple[list[str], list[Document]]:
    store = open_store(address)
    await store.open([])
    ts, _ = await store.newest()
    documents = await store.snapshot(ts).scan("recordings", BY_ID, prefix(()))
    tables = [name for name in await store.tables() if not name.startswith("_")]
    await store.close()
    return tables, documents


async def test_the_plan_tells_what_would_happen_and_changes_nothing(database: str, tmp_path: Path) -> None:
    path = str(write_application(tmp_path, NEWER))
    before = await contents(database)
    done = await asyncio.to_thread(migrate, path, "--plan", "--json", store=database)
    assert done.exit_code == 1, done.output
    plan = json.loads(done.stdout)
    assert plan["newTables"] == ["reviews"]
    assert {(each["table"], *each["fields"], each["unique"]) for each in plan["missingIndexes"]} >= {
        ("recordings", "name", True)
    }
    assert [(each["table"], each["fields"]) for each in plan["unusedIndexes"]] == [("recordings", ["title"])]
    [table] = plan["tables"]
    assert (table["documents"], table["misfits"], len(table["examples"])) == (41, 41, 5)
    assert table["examples"][0] == {"id": f"{0:024x}", "field": "name", "reason": "Field required"}
    assert "both have name = None" in table["equalKeys"][0]
    assert [(each["path"].partition(":")[2], each["status"]) for each in plan["migrations"]] == [
        ("title_becomes_name", "pending")
    ]
    assert await contents(database) == before
    text = (await asyncio.to_thread(migrate, path, "--plan", store=database)).stdout
    assert "recordings: 41 documents, 41 do not fit" in text
    assert "--drop-unused-indexes takes them away" in text
    assert "title_becomes_name  pending" in text


async def test_migrations_run_once_and_unused_indexes_go_when_they_are_told_to(database: str, tmp_path: Path) -> None:
    plain = str(write_application(tmp_path, NEWER.replace(", unique=True", "")))
    done = await asyncio.to_thread(migrate, plain, store=database)
    assert done.exit_code == 0, done.output
    assert "title_becomes_name  done  41 documents, 41 changed, 0 deleted" in done.stdout
    status = await asyncio.to_thread(migrate, plain, "--status", "--json", store=database)
    [state] = json.loads(status.stdout)["migrations"]
    assert (state["status"], state["documents"], state["declared"]) == ("done", 41, True)
    assert {each["name"] for each in (await contents(database))[1]} == {f"song {n}" for n in range(40)}
    dropped = await asyncio.to_thread(migrate, plain, "--drop-unused-indexes", "--json", store=database)
    assert [each["fields"] for each in json.loads(dropped.stdout)["droppedIndexes"]] == [["title"]]
    plan = await asyncio.to_thread(migrate, plain, "--plan", store=database)
    assert plan.exit_code == 0, plan.output
    assert "indexes that no table declares (--drop-unused-indexes takes them away): none" in plan.stdout
    assert "recordings: 41 documents\n" in plan.stdout


async def test_a_migration_that_fails_ends_the_command_and_names_the_document(database: str, tmp_path: Path) -> None:
    failing = NEWER.replace('if "title"', "raise ValueError('no')\n    if \"title\"").replace(", unique=True", "")
    path = str(write_application(tmp_path, failing))
    done = await asyncio.to_thread(migrate, path, store=database)
    assert done.exit_code == 1
    assert "migration_failed" in done.stderr
    assert f"the document {0:024x} of recordings: ValueError: no" in done.stderr.replace("\n", " ")
    status = await asyncio.to_thread(migrate, path, "--status", store=database)
    assert "title_becomes_name  failed" in status.stdout


async def test_beside_a_server_that_server_does_it(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'data.db'}"
    await fill(address, [document(n, title=f"{n}") for n in range(20)])
    path = write_application(tmp_path, NEWER.replace(", unique=True", ""))
    settings = Settings(store=address, documents={"migrate": False})
    app = Synovia(path, settings=settings)
    async with app.lifespan(), answering(app, address):
        plan = await asyncio.to_thread(migrate, str(path), "--plan", store=address)
        assert "20 do not fit" in plan.stdout
        assert "told by the server that has this file" in plan.stderr
        done = await asyncio.to_thread(migrate, str(path), store=address)
        assert "done  20 documents, 20 changed" in done.stdout, done.output


async def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    path = str(write_application(tmp_path, NEWER))
    missing = await asyncio.to_thread(migrate, path, "--plan", store=f"sqlite:///{tmp_path / 'none.db'}")
    assert (missing.exit_code, "there is no file" in missing.stderr) == (4, True)
    assert not (tmp_path / "none.db").exists()
    both = await asyncio.to_thread(migrate, path, "--plan", "--status", store="sqlite://:memory:")
    assert both.exit_code == 2
