"""``synovia env`` and ``ctx.env``: what an application declares, where it comes from, what is wrong; no secret is shown."""

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
from synovia.functions.env import EnvError, read_env
from synovia.functions.registry import load_application

DECLARED = """
from pydantic import Field, SecretStr

class Chat(Env):
    prefix = "CHAT_"
    title: str
    key: SecretStr
    page_size: int = Field(default=20, ge=1)
    rooms: list[str] = ["all"]

@query(public=True)
async def shown(ctx: QueryContext) -> dict[str, object]:
    env = ctx.env(Chat)
    return {"title": env.title, "pages": env.page_size, "rooms": env.rooms, "key": len(env.key.get_secret_value())}

@action(public=True)
async def title(ctx: ActionContext) -> str:
    return ctx.env(Chat).title

@mutation(public=True)
async def title_within(ctx: MutationContext) -> str:
    return ctx.env(Chat).title
"""
SECRET = "sk-4711-very-secret"


def env(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(commands, ["env", *arguments], env={"SYNOVIA_STORE": None, **variables})


async def test_functions_of_every_kind_get_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    variables = {
        "CHAT_TITLE": "Tea",
        "CHAT_KEY_FILE": str(tmp_path / "key"),
        "CHAT_ROOMS": '["a", "b"]',
        "CHAT_PAGE_SIZE": "",
    }
    hub = Synovia(write_application(tmp_path, DECLARED), settings=Settings(), variables=variables)
    async with hub.lifespan():
        name = hub.registry.name
        shown = {"title": "Tea", "pages": 20, "rooms": ["a", "b"], "key": len(SECRET)}
        assert await hub.query(f"{name}:shown") == shown
        assert await hub.action(f"{name}:title") == await hub.mutation(f"{name}:title_within") == "Tea"


async def test_a_hub_does_not_start_and_says_all_that_is_wrong(tmp_path: Path) -> None:
    variables = {"CHAT_PAGE_SIZE": "many", "CHAT_ROOMS": "[1", "CHAT_KEY_FILE": str(tmp_path / "none")}
    hub = Synovia(write_application(tmp_path, DECLARED), settings=Settings(), variables=variables)
    with pytest.raises(EnvError) as caught:
        await hub.start()
    head, *lines = str(caught.value).splitlines()
    assert head == "settings of the application are not as it declares them:"
    assert [line.partition(":")[0] for line in lines] == ["CHAT_TITLE", "CHAT_KEY", "CHAT_PAGE_SIZE", "CHAT_ROOMS"]
    assert "missing: set CHAT_TITLE or CHAT_TITLE_FILE" in lines[0]
    assert "No such file" in lines[1]
    assert "valid integer" in lines[2]


def test_it_is_listed_and_secrets_are_not_shown(tmp_path: Path) -> None:
    path = str(write_application(tmp_path, DECLARED))
    listed = env(path, CHAT_TITLE="Tea", CHAT_KEY=SECRET)
    assert listed.exit_code == 0, listed.output
    assert 'CHAT_TITLE  str  variable  "Tea"' in listed.output
    assert "CHAT_KEY  SecretStr  variable  (secret)" in listed.output
    assert "CHAT_PAGE_SIZE  int  default  20" in listed.output
    told = json.loads(env(path, "--json", CHAT_TITLE="Tea", CHAT_KEY=SECRET).output)
    assert [(each["variable"], each["source"], each["fault"]) for each in told["settings"]][:2] == [
        ("CHAT_TITLE", "variable", None),
        ("CHAT_KEY", "variable", None),
    ]
    assert SECRET not in listed.output + json.dumps(told)
    wrong = env(path, CHAT_KEY=SECRET, CHAT_PAGE_SIZE="0")
    assert (wrong.exit_code, "greater than or equal to 1" in wrong.output) == (1, True)
    assert "CHAT_TITLE  missing" in wrong.output


def test_a_secret_that_does_not_parse_is_not_told_either(tmp_path: Path) -> None:
    declared = """
        from typing import Annotated
        from pydantic import AfterValidator, SecretStr

        def check(value: SecretStr) -> SecretStr:
            raise ValueError(value.get_secret_value())

        class Mine(Env):
            key: Annotated[SecretStr, AfterValidator(check)]
    """
    registry = load_application(write_application(tmp_path, declared))
    assert registry.env is not None
    assert read_env(registry.env, {"KEY": SECRET}, {}).lines() == ["KEY: does not parse as SecretStr"]


def test_the_database_keeps_what_is_no_secret(tmp_path: Path) -> None:
    path, store = str(write_application(tmp_path, DECLARED)), f"sqlite:///{tmp_path / 'chat.db'}"
    Path(store.removeprefix("sqlite:///")).touch()
    given = {"CHAT_KEY": SECRET}
    done = env(path, "--store", store, "--set", "CHAT_TITLE=Tea", "--set", "CHAT_PAGE_SIZE=5", **given)
    assert done.exit_code == 0, done.output
    assert 'CHAT_TITLE  str  database  "Tea"' in done.output
    assert "CHAT_TITLE  str  variable" in env(path, "--store", store, CHAT_TITLE="Cake", **given).output, (
        "it comes first"
    )
    for wrong, said in {
        "CHAT_PAGE_SIZE=x": "valid integer",
        "CHAT_KEY=abc": "a secret does not belong in the database",
        "CHAT_COLOUR=red": "is no setting of this application",
        "CHAT_TITLE": "takes NAME=VALUE",
    }.items():
        refused = env(path, "--store", store, "--set", wrong, **given)
        assert (refused.exit_code, said in refused.output) == (2, True), refused.output
    misspelt = env(path, "--store", store, "--unset", "CHAT_TITEL", **given)
    assert (misspelt.exit_code, "keeps none of that name" in misspelt.output) == (2, True)
    gone = env(path, "--store", store, "--unset", "CHAT_TITLE", **given)
    assert (gone.exit_code, "CHAT_TITLE  missing" in gone.output) == (1, True)


async def test_beside_a_hub_that_has_the_file(tmp_path: Path) -> None:
    path, store = write_application(tmp_path, DECLARED), f"sqlite:///{tmp_path / 'hub.db'}"
    variables = {"CHAT_TITLE": "Tea", "CHAT_KEY": SECRET}
    hub = Synovia(path, settings=Settings(store=store), variables=variables)
    async with hub.lifespan(), answering(hub, store):
        asked = (str(path), "--store", store, "--set", "CHAT_PAGE_SIZE=7")
        done = await asyncio.to_thread(env, *asked, **variables)
        assert (done.exit_code, "CHAT_PAGE_SIZE  int  database  7" in done.output) == (0, True), done.output
        assert (await hub.query(f"{hub.registry.name}:shown"))["pages"] == 20
    again = Synovia(path, settings=Settings(store=store), variables=variables)
    async with again.lifespan():
        assert (await again.query(f"{hub.registry.name}:shown"))["pages"] == 7


def test_what_cannot_be_declared(tmp_path: Path) -> None:
    assert "declares its settings in one class" in refusal_of(tmp_path, "class A(Env): ...\nclass B(Env): ...")
    assert "are the server's" in refusal_of(tmp_path, "class A(Env):\n    synovia_store: str")
    assert "names the file with KEY" in refusal_of(tmp_path, "class A(Env):\n    key: str\n    key_file: str")
