"""``synovia calls``: what waits, runs and has failed, from the command line."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bson import ObjectId
from typer.testing import CliRunner, Result

from apps import failing
from synovia.cli.commands import app as commands
from synovia.functions.registry import collect
from synovia.store.base import Batch, Write
from synovia.testing import TestApp


def calls(*arguments: str, store: str | None = None) -> Result:
    """Run the command in this process."""
    named = ["--store", store] if store is not None else []
    return CliRunner().invoke(commands, ["calls", *arguments, *named], env={"SYNOVIA_STORE": None, "COLUMNS": "120"})


async def app_with_failures(store: str) -> AsyncIterator[TestApp]:
    """Give an application of whose calls one waits and two have failed, and whose cron fails."""
    async with TestApp(collect("failing", [failing]), store) as app:
        caller = app.caller()
        for path, seconds in (("failing:refuse", 0), ("failing:act_and_break", 0), ("failing:refuse", 86_400)):
            await caller.mutation("failing:later", {"path": path, "args": {}, "seconds": seconds})
        await app.advance(3_601, raise_failures=False)
        yield app


@pytest.fixture
async def left_behind(tmp_path: Path) -> str:
    """Give the address of a SQLite file that no server uses."""
    address = f"sqlite:///{tmp_path / 'store.db'}"
    async for _ in app_with_failures(address):
        pass
    return address


def test_failed_calls_and_crons_are_listed(left_behind: str) -> None:
    done = calls("--failed", store=left_behind)
    assert done.exit_code == 0, done.stderr
    counts, *lines = done.stdout.splitlines()
    assert counts == "1 pending, 0 running, 0 done, 2 failed, 0 cancelled"
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  (\w+)  failed  (\S+)(?:  attempt \d+)?  (.*)"
    found = [match for line in lines if (match := re.fullmatch(pattern, line)) is not None]
    assert sorted((each[2], each[1] == "cron") for each in found) == [
        ("failing:act_and_break", False), ("failing:hourly", True), ("failing:refuse", False),
    ]  # fmt: skip
    errors = {each[2]: each[3] for each in found}
    assert errors["failing:refuse"] == "no_good: this never works"
    assert re.search(r"server_error: .*broken.* \(error \w{8}\)$", errors["failing:act_and_break"])


def test_what_waits_is_what_is_listed_first(left_behind: str) -> None:
    done = calls(store=left_behind)
    assert [line.split("  ")[2:] for line in done.stdout.splitlines()[1:]] == [["pending", "failing:refuse"]]
    done = calls("--status", "done", store=left_behind)
    assert done.stdout.splitlines()[1:] == []


def test_json(left_behind: str) -> None:
    done = calls("--failed", "--status", "pending", "--json", store=left_behind)
    listing = json.loads(done.stdout)
    assert listing["counts"] == {"pending": 1, "running": 0, "done": 0, "failed": 2, "cancelled": 0}
    assert [call["status"] for call in listing["calls"]] == ["pending", "failed", "failed"]
    assert all(isinstance(call["_id"], str) for call in listing["calls"])
    assert [(cron["_id"], cron["lastError"]["code"]) for cron in listing["crons"]] == [("failing:hourly", "no_good")]
    limited = json.loads(calls("--failed", "--limit", "1", "--json", store=left_behind).stdout)
    assert len(limited["calls"]) == 1


async def test_rows_that_another_program_has_spoilt_are_shown_as_they_are(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'store.db'}"
    async for app in app_with_failures(address):
        row = {"_id": ObjectId(), "status": "failed", "runAt": float("inf"), "error": 7, "args": {"x": float("nan")}}
        await app.store.commit(Batch([Write("_scheduled", row["_id"], None, row)]))
    done = await asyncio.to_thread(calls, "--failed", store=address)
    assert done.exit_code == 0, done.stderr
    assert f"(no time)             {row['_id']}  failed  None" in done.stdout
    done = await asyncio.to_thread(calls, "--failed", "--json", store=address)
    assert json.loads(done.stdout)["counts"]["failed"] == 3


@pytest.mark.slow
async def test_a_file_that_a_server_has_open_is_told(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'store.db'}"
    async for _ in app_with_failures(address):
        done = await asyncio.to_thread(calls, "--failed", store=address)
        assert (done.exit_code, "is in use by another process" in done.stderr) == (4, True)


@pytest.mark.mongodb
async def test_beside_a_hub_on_mongodb(mongodb_uri: str, database_name: str) -> None:
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async for app in app_with_failures(address):
        done = await asyncio.to_thread(calls, "--failed", "--json", store=address)
        assert done.exit_code == 0, done.stderr
        assert len(json.loads(done.stdout)["calls"]) == 2
        await app.caller().mutation("failing:later", {"path": "failing:refuse", "args": {}})
        await app.advance(raise_failures=False)
        assert len(await app.caller().query("failing:failed")) == 3


def test_what_cannot_be_listed(tmp_path: Path) -> None:
    missing = calls(store=f"sqlite:///{tmp_path}/other.db")
    assert (missing.exit_code, "there is no file" in missing.stderr) == (4, True)
    assert calls().exit_code == 2
    wrong = calls("--status", "lost", store="sqlite://:memory:")
    assert (wrong.exit_code, "pending, running, done, failed, cancelled" in wrong.stderr) == (2, True)
