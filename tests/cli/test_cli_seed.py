"""``synovia seed``: each seed once, in one transaction; asked first where somebody's documents are."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from helpers.written_applications import refusal_of, write_application
from synovia import Synovia
from synovia.cli.commands import app as commands
from synovia.cli.operations import answering
from synovia.config import Settings

SEEDED = """
class Message(Table):
    text: str

@seed
async def rooms(ctx: MutationContext) -> None:
    await ctx.db.insert(Message(text="welcome"))

@seed
async def people(ctx: MutationContext) -> None:
    await ctx.db.insert(Message(text="ada"))
    if "stop" in [each.text for each in await ctx.db.query(Message).collect()]:
        raise InvalidArguments("no more")

@mutation(public=True)
async def send(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Message(text=text))

@query(public=True)
async def texts(ctx: QueryContext) -> list[str]:
    return [each.text for each in await ctx.db.query(Message).collect()]
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    return write_application(tmp_path, SEEDED)


def synovia(*arguments: str, **options: str) -> Result:
    return CliRunner().invoke(commands, [*arguments], env={"SYNOVIA_STORE": None}, **options)  # type: ignore[arg-type]


def texts(application: Path, store: str) -> list[str]:
    done = synovia("run", str(application), f"{application.stem}:texts", "--store", store)
    return list(json.loads(done.output))


def test_each_runs_once_and_again_only_on_request(application: Path, tmp_path: Path) -> None:
    store, name = f"sqlite:///{tmp_path / 'a.db'}", application.stem
    given = ("seed", str(application), "--store", store)
    first = synovia(*given)
    assert first.exit_code == 0, first.output
    assert first.output.splitlines() == [f"{name}:rooms: done", f"{name}:people: done"]
    second = synovia(*given, "--json")
    assert json.loads(second.output) == {"ran": {f"{name}:rooms": False, f"{name}:people": False}}
    assert texts(application, store) == ["welcome", "ada"]
    assert synovia(*given, "--status").output.splitlines() == [f"{name}:rooms: has run", f"{name}:people: has run"]
    asked = synovia(*given, "--again")
    assert (asked.exit_code, "say --yes" in asked.output) == (2, True)
    done = synovia(*given, "--again", "--yes", "--only", f"{name}:people")
    assert done.exit_code == 0, done.output
    assert texts(application, store) == ["welcome", "ada", "ada"]
    unknown = synovia(*given, "--only", "x:y")
    assert (unknown.exit_code, "there is no seed 'x:y'" in unknown.output) == (1, True)


def test_it_asks_where_documents_are_that_no_seed_wrote(application: Path, tmp_path: Path) -> None:
    store, name = f"sqlite:///{tmp_path / 'a.db'}", application.stem
    assert synovia("run", str(application), f"{name}:send", '{"text": "hello"}', "--store", store).exit_code == 0
    asked = synovia("seed", str(application), "--store", store)
    assert (asked.exit_code, "holds documents already (of messages)" in asked.output) == (2, True), asked.output
    assert texts(application, store) == ["hello"]
    assert synovia("seed", str(application), "--store", store, "--yes").exit_code == 0
    assert texts(application, store) == ["hello", "welcome", "ada"]


def test_one_that_fails_writes_nothing_and_those_before_it_stay(application: Path, tmp_path: Path) -> None:
    store, name = f"sqlite:///{tmp_path / 'a.db'}", application.stem
    synovia("run", str(application), f"{name}:send", '{"text": "stop"}', "--store", store)
    failed = synovia("seed", str(application), "--store", store, "--yes")
    assert (failed.exit_code, "no more" in failed.output) == (1, True), failed.output
    assert texts(application, store) == ["stop", "welcome"]
    state = json.loads(synovia("seed", str(application), "--store", store, "--status", "--json").output)["seeds"]
    assert [at is not None for at in state.values()] == [True, False]


async def test_beside_a_hub_that_has_the_file_its_clients_see_it(application: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'hub.db'}"
    hub = Synovia(application, settings=Settings(store=store))
    async with hub.lifespan(), answering(hub, store):
        done = await asyncio.to_thread(synovia, "seed", str(application), "--store", store)
        assert done.exit_code == 0, done.output
        assert await hub.query(f"{application.stem}:texts") == ["welcome", "ada"]


def test_what_cannot_be_declared(tmp_path: Path) -> None:
    assert "a seed is an async function" in refusal_of(tmp_path, "@seed\ndef f(ctx): ...")
    assert "a seed is an async function" in refusal_of(tmp_path, "@seed\nasync def f(ctx, a): ...")
