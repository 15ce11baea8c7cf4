"""``synovia logs``, ``data`` and ``call`` at a hub that runs: with the key of an operator, or beside one of development."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.command_line import ENVIRONMENT, synovia
from helpers.forked_commands import SYNOVIA, PipedCommand
from helpers.http_server import APPS
from helpers.patience import PATIENCE
from helpers.sync_server import Client, Running, client_of, serving
from helpers.waiting import until
from synovia import MutationContext


@dataclass
class Scene:
    running: Running
    client: Client
    key: str

    @property
    def environment(self) -> dict[str, str]:
        return {"SYNOVIA_URL": f"http://127.0.0.1:{self.running.port}", "SYNOVIA_KEY": self.key}

    async def synovia(self, *arguments: str, **environment: str) -> CompletedProcess[str]:
        return await asyncio.to_thread(synovia, *arguments, **{**self.environment, **environment})

    async def post(self, text: str, board: str = "a") -> None:
        assert (await self.client.mutate("notes:post", {"board": board, "text": text})).error is None

    async def lines_of(self, *arguments: str) -> AsyncIterator[Any]:
        """Run a command that goes on, and give its lines as JSON."""
        command = PipedCommand(SYNOVIA, arguments, ENVIRONMENT | self.environment)
        try:
            while line := await asyncio.to_thread(command.stdout.readline):
                yield json.loads(line) if line.startswith("{") else line
        finally:
            command.terminate()
            await asyncio.to_thread(command.wait, PATIENCE)
            command.stdout.close()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with serving() as running, client_of(running) as client:
        key = (await running.app.service_keys.create("ops", ["operator"])).token
        yield Scene(running, client, key)


async def test_logs_say_whose_they_are_where_a_database_may_have_other_hubs(
    mongodb_uri: str, database_name: str
) -> None:
    store = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with serving(store=store) as running, client_of(running) as client:
        key = (await running.app.service_keys.create("ops", ["operator-read"])).token
        scene = Scene(running, client, key)
        await scene.post("hello")
        done = await scene.synovia("logs")
        assert "notes:post" in done.stdout
        assert done.stderr.startswith(f"the calls at hub {socket.gethostname()}:{os.getpid()}; other hubs")


async def test_logs_of_calls_that_have_ended(scene: Scene) -> None:
    await scene.post("hello")
    await scene.client.mutate("notes:post", {"board": 5})
    done = await scene.synovia("logs", "--path", "notes:post")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "mutation  notes:post  ok" in first
    assert "notes:post  invalid_arguments" in second
    failed = await scene.synovia("logs", "--failed", "--json")
    assert [json.loads(line)["outcome"] for line in failed.stdout.splitlines()] == ["invalid_arguments"]
    unknown = await scene.synovia("logs", "--kind", "x")
    assert unknown.returncode == 2
    assert "Invalid value for '--kind': 'x' is not one of 'query'" in unknown.stderr


async def test_what_clients_have_sent_neither_steers_the_terminal_nor_looks_like_a_line_of_the_log(
    scene: Scene,
) -> None:
    await scene.client.mutate("notes:post", {"board": "a", "\x1b[2J\x9b31m\nforged": 1})
    await scene.post("\u202egpj.exe\x1b[31m")
    listed = await scene.synovia("logs")
    assert [line.startswith("    ") for line in listed.stdout.splitlines()] == [False, True, False]
    assert "\\u001b[2J\\u009b31m" in listed.stdout
    shown = await scene.synovia("data", "notes")
    assert "\\u202egpj.exe\\u001b[31m" in shown.stdout
    for done in (listed, shown):
        assert not {"\x1b", "\x9b", "\u202e"} & set(done.stdout + done.stderr)


@pytest.mark.slow
async def test_logs_go_on_also_when_the_connection_is_lost(scene: Scene) -> None:
    await scene.post("before")
    async with asyncio.timeout(PATIENCE):
        lines = aiter(scene.lines_of("logs", "--follow", "--json", "--kind", "mutation"))
        assert (await anext(lines))["path"] == "notes:post"
        await scene.post("live")
        assert (await anext(lines))["path"] == "notes:post"
        for connection in [*scene.running.server.server_state.connections]:
            connection.transport.abort()
        assert "connecting again" in await anext(lines)
        assert await anext(lines) == "connected again\n"
        async with client_of(scene.running) as client:
            await client.mutate("notes:post", {"board": "b", "text": "after"})
        line = await anext(lines)
        assert not isinstance(line, str), line
        assert line["number"] > 2
        await lines.aclose()  # type: ignore[attr-defined]


async def test_data_of_a_table(scene: Scene) -> None:
    for number in range(5):
        await scene.post(f"note {number}", board="a" if number < 4 else "b")
    tables = await scene.synovia("data")
    assert "notes: 5 documents" in tables.stdout.splitlines()
    done = await scene.synovia("data", "notes", "--where", "board=a", "--json", "--limit", "3")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["note 0", "note 1", "note 2"]
    assert "there are more" in done.stderr
    done = await scene.synovia("data", "notes", "--where", "text~NOTE 4")
    assert len(done.stdout.splitlines()) == 1
    done = await scene.synovia("data", "notes", "--where", "bord=a", "--json")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "note: notes declares no field 'bord'; is 'board' meant?\n"
    wrong = await scene.synovia("data", "no_table")
    assert (wrong.returncode, "there is no table" in wrong.stderr) == (1, True)
    assert (await scene.synovia("data", "notes", "--where", "nonsense")).returncode == 2


async def test_data_is_followed(scene: Scene) -> None:
    await scene.post("first")
    async with asyncio.timeout(PATIENCE):
        lines = aiter(scene.lines_of("data", "notes", "--follow", "--json"))
        assert (await anext(lines))["text"] == "first"
        await scene.post("second")
        changed = await anext(lines)
        assert (changed["change"], changed["document"]["text"]) == ("+", "second")
        await lines.aclose()  # type: ignore[attr-defined]


async def test_a_function_is_called(scene: Scene) -> None:
    done = await scene.synovia("call", "notes:post", '{"board": "a", "text": "by the operator"}')
    assert done.returncode == 0, done.stderr
    done = await scene.synovia("call", "notes:on_board", '{"board": "a"}')
    assert json.loads(done.stdout)[0]["text"] == "by the operator"
    done = await scene.synovia("call", "notes:on_board", '{"board": "a"}', "--json")
    assert json.loads(done.stdout)["milliseconds"] > 0
    wrong = await scene.synovia("call", "notes:nothing")
    assert (wrong.returncode, "unknown_function" in wrong.stderr) == (1, True)
    wrong = await scene.synovia("call", "notes:nothing", "--json")
    assert (wrong.returncode, json.loads(wrong.stdout)["code"]) == (1, "unknown_function")
    assert "there is no function 'notes:nothing'" in json.loads(wrong.stdout)["message"]
    assert (await scene.synovia("call", "notes:post", "[]")).returncode == 2
    assert (await scene.synovia("call", "notes:post", "{}", "--as", "ada")).returncode == 2
    assert (await scene.synovia("call", "notes:post", "{}", "--role", "x")).returncode == 2
    audited = await scene.synovia("data", "_audit", "--json")
    assert json.loads(audited.stdout.splitlines()[-1])["action"] == "operator.run"


async def test_a_call_to_come_is_cancelled_and_run_once_more() -> None:
    async with serving(application=APPS / "chained.py", development=True) as running:

        async def schedule(ctx: MutationContext) -> str:
            return await ctx.scheduler.run_after(timedelta(hours=1), "chained:note", {"name": "again again"})

        id_ = str((await running.app.engine.transact(schedule)).value())

        async def calls(*arguments: str) -> CompletedProcess[str]:
            return await asyncio.to_thread(synovia, "calls", *arguments, SYNOVIA_URL=f"http://127.0.0.1:{running.port}")

        waiting = await calls("--retry", id_)
        assert (waiting.returncode, "it is not over" in waiting.stderr) == (1, True)
        done = await calls("--cancel", id_)
        assert (done.returncode, done.stdout) == (0, f"{id_} is cancelled\n"), done.stderr
        again = await calls("--cancel", id_, "--json")
        assert (again.returncode, json.loads(again.stdout)) == (1, {"cancelled": False})
        new = json.loads((await calls("--retry", id_, "--json")).stdout)["id"]
        log = running.app.system.log
        await until(lambda: any(each.runs == new and each.word == "ok" for each in log))
        assert (await calls("--cancel", id_, "--retry", id_)).returncode == 2
        assert (await calls("--retry", "6b012ca42122a9581e9de51b")).returncode == 1


async def test_who_is_no_operator_sees_nothing(scene: Scene) -> None:
    other = (await scene.running.app.service_keys.create("billing", ["billing"])).token
    for arguments in (("logs",), ("data",), ("data", "notes"), ("call", "notes:on_board", '{"board": "a"}')):
        done = await scene.synovia(*arguments, SYNOVIA_KEY=other)
        assert (done.returncode, done.stdout, "role operator" in done.stderr) == (1, "", True), done.stderr
        done = await scene.synovia(*arguments, SYNOVIA_KEY="")
        assert (done.returncode, "SYNOVIA_KEY_FILE" in done.stderr) == (5, True), done.stderr
        done = await scene.synovia(*arguments, SYNOVIA_KEY="synovia-key-nonsense")
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (5, "", False), done.stderr


async def test_beside_a_hub_of_development_no_key_is_needed() -> None:
    async with serving(development=True) as running:
        done = await asyncio.to_thread(synovia, "data", "--url", f"http://127.0.0.1:{running.port}")
        assert (done.returncode, "notes: 0 documents" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "ftp://127.0.0.1"])
def test_where_no_hub_is(url: str) -> None:
    done = synovia("logs", "--url", url, SYNOVIA_KEY="x")
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (5, "", False)
    assert url in done.stderr
